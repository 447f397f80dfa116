/** The first ring of a cluster: circles are dealt until one balances replicas as well as primaries. */
import { checkMembers, type Member } from './member.ts';
import { type InitialRingOptions, resolveOptions } from './options.ts';
import type { RingParts, RingRun } from './ring.ts';
import { SLOT_COUNT } from './slot.ts';
import { dealVirtualNodes, type VirtualNode } from './virtual-nodes.ts';
import { distinctFrom, spreadOverZones, zoneOf } from './walk.ts';

const DEALS_MAX = 8;
/** The greatest load of a member by its fair share that is good enough. */
const IMBALANCE_MAX = 1.005;

export function createRing(members: readonly Member[], options: InitialRingOptions): RingParts {
  const checked = checkMembers(members);
  const { replicas, virtualNodesPerNode } = resolveOptions(options);
  const rowLength = Math.min(replicas, checked.length);
  const deal = (salt: number) => runsOf(dealVirtualNodes(checked, { virtualNodesPerNode, rowLength, salt }), rowLength);
  return { epoch: 1, replicas, members: checked, runs: bestDeal(checked, rowLength, deal) };
}

/** Some members and weights cannot be balanced, three members of weights 1, 1 and 4 say: then the best of a few. */
function bestDeal(
  members: readonly Member[],
  rowLength: number,
  deal: (salt: number) => readonly RingRun[],
): readonly RingRun[] {
  let best = deal(0);
  let least = imbalance(best, members, rowLength);
  for (let salt = 1; salt < DEALS_MAX && least > IMBALANCE_MAX; salt++) {
    const runs = deal(salt);
    const other = imbalance(runs, members, rowLength);
    if (other < least) {
      best = runs;
      least = other;
    }
  }
  return best;
}

/** How far the most loaded member is above its share of all replicas: 1 is perfect. */
function imbalance(runs: readonly RingRun[], members: readonly Member[], rowLength: number): number {
  const weights = members.reduce((sum, member) => sum + member.weight, 0);
  const loads = new Map(members.map((member) => [member.id, 0]));
  for (const { from, to, row } of runs) {
    for (const id of row) loads.set(id, (loads.get(id) as number) + to - from + 1);
  }
  const relative = members.map(({ id, weight }) => {
    const share = Math.min(1, (rowLength * weight) / weights) * SLOT_COUNT;
    return (loads.get(id) as number) / share;
  });
  return Math.max(...relative);
}

function runsOf(circle: readonly VirtualNode[], rowLength: number): RingRun[] {
  const owners = circle.map((node) => node.owner);
  const zoneCount = Math.min(rowLength, new Set(owners.map(zoneOf)).size);
  const isEnough = (met: ReadonlySet<Member>) =>
    met.size >= rowLength && new Set(Array.from(met, zoneOf)).size >= zoneCount;
  let next = 0;
  return circle.map(({ length }, index) => {
    const from = next;
    next += length;
    const met = distinctFrom(owners, index, isEnough);
    const row = spreadOverZones(met, rowLength).map((member) => member.id);
    return { from, to: next - 1, row };
  });
}
