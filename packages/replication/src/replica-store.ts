/**
 * The local copy as anti-entropy and handoff see it. Reads are synchronous (and may throw); writes answer by callback once
 * durable. The node implements it over the engine; tests over a map.
 */
import type { Hash128, NodeId, ReplicaItem } from './messages.ts';

export interface SlotListing {
  /** Ascending by address. */
  readonly keys: readonly { readonly address: Uint8Array; readonly hash: Hash128 }[];
  /** False when the limit cut the listing. */
  readonly complete: boolean;
}

/** A write kept for an absent owner. `id` changes whenever the hint's content does. */
export interface Hint extends ReplicaItem {
  readonly id: number;
  readonly target: NodeId;
}

export interface ReplicaStore {
  /** Merges each item into what is held. `done` after all are durable (`sync`); an error: nothing may be assumed. */
  merge(items: readonly ReplicaItem[], done: (error?: Error) => void): void;
  read(address: Uint8Array): Uint8Array | undefined;
  leaf(slot: number, group: number): Hash128;
  /** Addresses of the slot after `after` (exclusive) and up to `until` (inclusive; undefined = end), with record hashes. */
  list(
    slot: number,
    range: { readonly after?: Uint8Array; readonly until?: Uint8Array; readonly limit: number },
  ): SlotListing;
  /** Nodes for which hints are kept. */
  hintTargets(): readonly NodeId[];
  /** Some hints for the target, oldest slots first: at most `count` and about `bytes`. */
  hints(target: NodeId, limit: { readonly count: number; readonly bytes: number }): readonly Hint[];
  /** Removes delivered hints; one whose content has changed since (another id) stays. */
  removeHints(hints: readonly Hint[], done: (error?: Error) => void): void;
}
