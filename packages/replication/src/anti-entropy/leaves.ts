/**
 * Slots that two nodes share, and the comparison of their leaves. Pure but for the store it reads.
 *
 * A leaf sums up all records of a slot; equal leaves mean equal slots. One message speaks of all shared slots of a range and
 * names only leaves that are not zero. What lies in the range but is not shared is passed over: both sides know the shared slots
 * from the same ring epoch.
 */
import type { ExchangeLeavesMessage, Hash128, NodeId } from '../messages.ts';
import type { ReplicaStore } from '../replica-store.ts';
import { hashesEqual } from './record-hash.ts';

/** First and last slot of a run, both inclusive. */
export type SlotRun = readonly [from: number, to: number];

/** What this node and `peer` both own, in the replica group of one N. */
export interface SharedSlots {
  readonly peer: NodeId;
  readonly group: number;
  /** Ascending and disjoint. May be iterated more than once. */
  readonly runs: Iterable<SlotRun>;
}

export interface NamedLeaf {
  readonly slot: number;
  readonly leaf: Hash128;
}

/** The leaves of the shared slots of one range, as one message carries them. */
export interface LeafChunk {
  readonly group: number;
  readonly fromSlot: number;
  readonly toSlot: number;
  /** Shared slots of the range, as runs. */
  readonly runs: readonly SlotRun[];
  readonly leaves: readonly NamedLeaf[];
  /** Slots whose leaf could not be read here: nothing may be said of them. */
  readonly unreadable: ReadonlySet<number>;
}

export interface LeafLimits {
  readonly slots: number;
  readonly bytes: number;
}

/** Bytes of a named leaf in a message, about. */
const NAMED_LEAF_BYTES = 19;

export function isZero(hash: Hash128): boolean {
  return (hash[0] | hash[1] | hash[2] | hash[3]) === 0;
}

/** The shared slots from `firstSlot` on, as far as one message goes; `undefined` when there are none. */
export function readChunk(
  shared: SharedSlots,
  firstSlot: number,
  store: ReplicaStore,
  limits: LeafLimits,
): LeafChunk | undefined {
  const runs: SlotRun[] = [];
  const leaves: NamedLeaf[] = [];
  const unreadable = new Set<number>();
  let slots = 0;
  const full = (): boolean => slots >= limits.slots || (leaves.length + 1) * NAMED_LEAF_BYTES > limits.bytes;
  for (const [from, to] of shared.runs) {
    const start = Math.max(from, firstSlot);
    let slot = start;
    for (; slot <= to && !full(); slot++, slots++) readLeaf(store, slot, shared.group, leaves, unreadable);
    if (slot > start) runs.push([start, slot - 1]);
    if (full()) break;
  }
  const [first] = runs;
  const last = runs.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return { group: shared.group, fromSlot: first[0], toSlot: last[1], runs, leaves, unreadable };
}

function readLeaf(
  store: ReplicaStore,
  slot: number,
  group: number,
  leaves: NamedLeaf[],
  unreadable: Set<number>,
): void {
  try {
    const leaf = store.leaf(slot, group);
    if (!isZero(leaf)) leaves.push({ slot, leaf });
  } catch {
    unreadable.add(slot);
  }
}

export interface LeafComparison {
  /** Ascending. A slot whose leaf cannot be read here counts as differing: unreadable is never taken for empty. */
  readonly differing: readonly number[];
  readonly compared: number;
  readonly errors: number;
}

/** The answer: which of the shared slots in the asked range differ here. */
export function compareLeaves(
  message: ExchangeLeavesMessage,
  shared: SharedSlots,
  store: ReplicaStore,
): LeafComparison {
  const theirs = new Map(message.leaves.map(({ slot, leaf }) => [slot, leaf]));
  const differing: number[] = [];
  let compared = 0;
  let errors = 0;
  for (const [from, to] of shared.runs) {
    for (let slot = Math.max(from, message.fromSlot); slot <= Math.min(to, message.toSlot); slot++) {
      compared++;
      try {
        if (sameLeaf(store.leaf(slot, shared.group), theirs.get(slot))) continue;
      } catch {
        errors++;
      }
      differing.push(slot);
    }
  }
  return { differing, compared, errors };
}

function sameLeaf(mine: Hash128, theirs: Hash128 | undefined): boolean {
  return theirs === undefined ? isZero(mine) : hashesEqual(mine, theirs);
}

/** The runs without the slots of `holes` (ascending). */
export function runsWithout(runs: readonly SlotRun[], holes: ReadonlySet<number>): readonly SlotRun[] {
  const kept: SlotRun[] = [];
  for (const [from, to] of runs) {
    let start = from;
    for (let slot = from; slot <= to; slot++) {
      if (!holes.has(slot)) continue;
      if (slot > start) kept.push([start, slot - 1]);
      start = slot + 1;
    }
    if (start <= to) kept.push([start, to]);
  }
  return kept;
}
