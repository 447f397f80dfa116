/**
 * Which owners a read has shown to be behind.
 *
 * The encoding is canonical, so an owner is behind exactly if its record differs from the merge of all answers in the part
 * that replicas agree on. (Whether the bytes of an expired value have been stripped is each replica's own affair: to repair
 * that would undo the stripping with each read.) "Absent" is behind any record, a tombstone is a record like any other
 * (FAULTS B20). Fallbacks are never repaired: what they keep are
 * hints, which handoff delivers and removes. Who did not answer, refused, or sent a damaged record is not repaired either:
 * nothing is known of it.
 */
import type { NodeId } from '../messages.ts';
import type { ReplicaRole } from '../quorum.ts';
import { recordHeaderBytes } from '../record-codec.ts';
import { equalBytes } from './merge-answers.ts';

export interface Answer {
  readonly node: NodeId;
  /** `owner` only if the row says so and the node says so itself. */
  readonly role: ReplicaRole;
  /** The encoded record, undefined = absent. */
  readonly record: Uint8Array | undefined;
}

/** The answers of owners that lack something of `merged`. */
export function staleOwners<A extends Answer>(answers: readonly A[], merged: Uint8Array | undefined): readonly A[] {
  if (merged === undefined) return [];
  return answers.filter((answer) => answer.role === 'owner' && !sameState(answer.record, merged));
}

function sameState(held: Uint8Array | undefined, merged: Uint8Array): boolean {
  if (held === undefined || equalBytes(held, merged)) return held !== undefined;
  return equalBytes(recordHeaderBytes(held), recordHeaderBytes(merged));
}
