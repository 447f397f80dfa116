/** Which slots this node shares with each other owner: what anti-entropy compares. */
import type { SharedSlots } from '@kvd/replication';
import type { Ring } from '@kvd/ring';

const SLOTS = 16_384;

/** `group`: the N of the replica group; a slot is shared by the first N of its row. */
export function sharedSlots(ring: Ring, self: string, group: number): SharedSlots[] {
  const runs = new Map<string, [number, number][]>();
  for (let slot = 0; slot < SLOTS; slot++) {
    const owners = ring.row(slot).slice(0, group);
    if (!owners.includes(self)) continue;
    for (const owner of owners) if (owner !== self) extend(runs, owner, slot);
  }
  return [...runs].map(([peer, list]) => ({ peer, group, runs: list })).sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

function extend(runs: Map<string, [number, number][]>, owner: string, slot: number): void {
  const list = runs.get(owner) ?? [];
  if (list.length === 0) runs.set(owner, list);
  const last = list.at(-1);
  if (last !== undefined && last[1] === slot - 1) last[1] = slot;
  else list.push([slot, slot]);
}
