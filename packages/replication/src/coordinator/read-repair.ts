/**
 * Which owners a read has shown to be behind.
 *
 * The encoding is canonical, so an owner is behind exactly if its bytes differ from the merge of all answers; "absent" is
 * behind any record, a tombstone is a record like any other (FAULTS B20). Fallbacks are never repaired: what they keep are
 * hints, which handoff delivers and removes. Who did not answer, refused, or sent a damaged record is not repaired either:
 * nothing is known of it.
 */
import type { NodeId } from '../messages.ts';
import type { ReplicaRole } from '../quorum.ts';
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
  return answers.filter((answer) => answer.role === 'owner' && !equalBytes(answer.record, merged));
}
