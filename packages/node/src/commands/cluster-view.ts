/**
 * The ring as clients of Redis Cluster see it: every slot has one "master", the first node of its row that can be reached (it
 * coordinates), and the other owners are its "replicas". Any node answers for any slot, so the picture is advice, never a duty.
 */
import { murmur3 } from '@kvd/replication';
import type { Member, Ring } from '@kvd/ring';
import type { NodeServices } from '../services.ts';

export interface ClusterNode {
  readonly member: Member;
  /** 40 hexadecimal digits, as Redis Cluster has. */
  readonly clusterId: string;
  readonly isSelf: boolean;
  readonly isReachable: boolean;
  /** As the members say: pfail and fail of Redis. */
  readonly state: 'alive' | 'suspect' | 'dead' | 'left';
}

export interface SlotRange {
  readonly from: number;
  readonly to: number;
  /** The row, those that can be reached first. */
  readonly nodes: readonly ClusterNode[];
}

export interface ClusterView {
  readonly ring: Ring;
  readonly nodes: readonly ClusterNode[];
  readonly ranges: readonly SlotRange[];
}

const ids = new Map<string, string>();

/** The 40 digits of a node's name: the same on every node and for ever, though they mean nothing. */
export function clusterIdOf(name: string): string {
  const known = ids.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name);
  const words = [...murmur3(bytes, bytes.length, 0), murmur3(bytes, bytes.length, 1)[0]];
  const id = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  ids.set(name, id);
  return id;
}

export function clusterView(services: NodeServices): ClusterView {
  const ring = services.ring();
  const states = new Map(services.members().map(({ id, state }) => [id, state]));
  const byId = new Map<string, ClusterNode>();
  for (const member of ring.members) {
    const isSelf = member.id === services.config.id;
    byId.set(member.id, {
      member,
      clusterId: clusterIdOf(member.id),
      isSelf,
      isReachable: isSelf || services.reachable(member.id),
      state: states.get(member.id) ?? 'alive',
    });
  }
  const ranges = ring.runs().map(({ from, to, row }) => ({ from, to, nodes: reachableFirst(row, byId) }));
  return { ring, nodes: [...byId.values()], ranges: joined(ranges) };
}

function reachableFirst(row: readonly string[], byId: ReadonlyMap<string, ClusterNode>): readonly ClusterNode[] {
  const nodes = row.map((id) => byId.get(id) as ClusterNode);
  return [...nodes.filter((node) => node.isReachable), ...nodes.filter((node) => !node.isReachable)];
}

/** Neighbours with the same nodes as one: without some nodes, what differed may be equal. */
function joined(ranges: readonly SlotRange[]): readonly SlotRange[] {
  const result: SlotRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    const isSame = last?.nodes.length === range.nodes.length && last.nodes.every((node, i) => node === range.nodes[i]);
    if (last !== undefined && isSame) result[result.length - 1] = { ...last, to: range.to };
    else result.push(range);
  }
  return result;
}
