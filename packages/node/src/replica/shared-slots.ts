/** Which slots this node shares with each other owner: what anti-entropy compares. */
import type { SharedSlots } from '@kvd/replication';
import type { Ring } from '@kvd/ring';

/** `group`: the N of the replica group; a slot is shared by the first N of its row. By runs: slot by slot it is felt at a start. */
export function sharedSlots(ring: Ring, self: string, group: number): SharedSlots[] {
  const shared = new Map<string, [number, number][]>();
  for (const { from, to, row } of ring.runs()) {
    const owners = row.slice(0, group);
    if (!owners.includes(self)) continue;
    for (const owner of owners) if (owner !== self) extend(shared, owner, from, to);
  }
  return [...shared].map(([peer, runs]) => ({ peer, group, runs })).sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

function extend(shared: Map<string, [number, number][]>, owner: string, from: number, to: number): void {
  const list = shared.get(owner) ?? [];
  if (list.length === 0) shared.set(owner, list);
  const last = list.at(-1);
  if (last !== undefined && last[1] === from - 1) last[1] = to;
  else list.push([from, to]);
}
