/** What the local replica is made of, and what it tells who asks it to coordinate. */
import type { Engine } from '@kvd/lsm';
import type { FailureReason, OperationResult } from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { DotIssuer } from './dot-issuer.ts';
import type { HintStore } from './hint-store.ts';
import type { LeafTable } from './leaf-table.ts';
import type { SlotCoverage } from './slot-coverage.ts';

export interface ReplicaDependencies {
  readonly engine: Engine;
  readonly self: string;
  readonly ring: Ring;
  readonly dots: DotIssuer;
  readonly hints: HintStore;
  readonly leaves: LeafTable;
  readonly coverage: SlotCoverage;
  /** Seed of record hashes, from the cluster id. */
  readonly seed: number;
  /** This node may lack what it has acknowledged, until it has compared with the other owners. */
  readonly doubt: boolean;
  readonly probe: (name: string) => void;
  /**
   * Bytes that a value may grow to.
   * @default Infinity
   */
  readonly maxValueBytes?: number;
}

/** `failed`; or `unchanged`; or `merged`, and after it `stored`. */
export interface CoordinateCallbacks {
  merged(state: Uint8Array, context: Uint8Array, result: OperationResult): void;
  /** There was nothing to write. */
  unchanged(context: Uint8Array, result: OperationResult): void;
  failed(reason: FailureReason, detail: string): void;
  stored(error?: Error): void;
}
