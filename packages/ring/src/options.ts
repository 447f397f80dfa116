import { RingError } from './errors.ts';

export interface InitialRingOptions {
  /**
   * Owners of each slot, if there are so many members. More: more copies, more load. At most 16.
   * @default 3
   */
  readonly replicas?: number;
  /**
   * Runs of slots for which a member of weight 1 is first. More: a failed member's load is spread more evenly. Costs:
   * longer answers to CLUSTER SLOTS. At most 1024.
   * @default 64
   */
  readonly virtualNodesPerNode?: number;
}

export const RING_DEFAULTS: Required<InitialRingOptions> = Object.freeze({ replicas: 3, virtualNodesPerNode: 64 });

const REPLICAS_MAX = 16;
const VIRTUAL_NODES_MAX = 1024;

/** Fills in the defaults. Throws `RING_OPTIONS` for a value out of range. */
export function resolveOptions(options: InitialRingOptions): Required<InitialRingOptions> {
  const { replicas, virtualNodesPerNode } = { ...RING_DEFAULTS, ...options };
  checkReplicas(replicas);
  checkRange('virtual nodes per node', virtualNodesPerNode, VIRTUAL_NODES_MAX);
  return { replicas, virtualNodesPerNode };
}

export function checkReplicas(replicas: number): void {
  checkRange('replicas', replicas, REPLICAS_MAX);
}

function checkRange(name: string, value: number, most: number): void {
  const isRight = Number.isInteger(value) && value >= 1 && value <= most;
  if (!isRight) throw new RingError('RING_OPTIONS', `${name}: ${value} is not in 1 to ${most}`);
}
