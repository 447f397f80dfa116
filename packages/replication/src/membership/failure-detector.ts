/**
 * When a member is suspect, and when it is dead. Pure.
 *
 * A member whose heartbeat has not moved here for `suspectAfterMs` is suspected by this node, which signs with its name. It is
 * dead only when two members (or the only other one) have signed the same heartbeat, and it has not moved here for
 * `deadAfterMs`: one node with a broken link cannot kill anybody. A verdict is about one heartbeat of one incarnation: the next
 * one clears it (member.ts). Verdicts serve display, hints and advice; requests go by what can be reached (DESIGN §6).
 */
import type { Millis } from '../effects.ts';
import type { NodeId } from '../messages.ts';
import { type Evidence, type MemberView, suspectedToo } from './member.ts';

export interface Judgement {
  readonly now: Millis;
  readonly self: NodeId;
  readonly suspectAfterMs: number;
  readonly deadAfterMs: number;
  readonly evidence: Evidence;
}

/** Signatures needed to call one of `members` (those that have not left, itself included) dead. */
export function confirmationsNeeded(members: number): number {
  return Math.max(1, Math.min(2, members - 1));
}

/** How much longer to wait in a larger cluster, where news takes more rounds to arrive: 1 up to ten members, 2 for a hundred. */
export function patience(members: number): number {
  return Math.max(1, Math.log10(members));
}

/** The member as judged now; the same object when the verdict stands. Only ever graver: news of the member itself clears. */
export function judge(member: MemberView, by: Judgement): MemberView {
  if (member.state === 'left' || member.state === 'dead') return member;
  const silentMs = by.now - member.movedAtMs;
  if (silentMs < by.suspectAfterMs) return member;
  const suspect = suspectedToo(member, by.self, by.evidence);
  const confirmed = suspect.suspectedBy.length >= by.evidence.confirmations;
  return confirmed && silentMs >= by.deadAfterMs ? { ...suspect, state: 'dead' } : suspect;
}
