/**
 * The read before a write: a coordinator that is not first in the row, or in a new tenure, asks the owners what they hold,
 * so that a plain SET supersedes it (DESIGN §5). All owners that can be reached are asked at once, since this is rare and
 * its latency is the client's; R answers are enough, the coordinator's own among them.
 *
 * In strict mode R must be met, or nothing is written. In sloppy mode what can be had in time is enough.
 */
import { remainingMs } from '../deadline-queue.ts';
import type { Millis } from '../effects.ts';
import type { FetchMessage, FetchReplyMessage, NodeId } from '../messages.ts';
import { isSoundRecord } from './merge-answers.ts';
import type { WriteEntry } from './write-entry.ts';

/** Whom to expect: the owners with a planned role. The coordinator's own record is merged in by `coordinate` itself. */
export function expectContexts(entry: WriteEntry, self: NodeId): void {
  const { r, mode } = entry.request.consistency;
  entry.readTally.reset({ r, pr: 0, mode });
  for (let i = 0; i < entry.placeCount; i++) {
    const { owner, ownerState } = entry.place(i);
    if (owner !== self && ownerState !== 'planned') continue;
    entry.readTally.expect(owner, 'owner');
    if (owner === self) entry.readTally.answer(owner, 'owner', false);
  }
}

export function contextFetch(entry: WriteEntry, now: Millis): FetchMessage {
  const { stream, header, address } = entry.request;
  const left = remainingMs(Math.min(entry.deadline, entry.preReadUntil), now);
  return { kind: 'fetch', stream, header: { ...header, remainingMs: left }, addresses: [address] };
}

/** Takes one reply in. A record that cannot be decoded is a refusal: it must never be merged (FAULTS C16). */
export function noteContext(entry: WriteEntry, from: NodeId, reply: FetchReplyMessage): void {
  const record = reply.records[0];
  if (reply.status === 'refused' || reply.records.length !== 1 || (record !== undefined && !isSoundRecord(record))) {
    entry.readTally.lose(from);
  } else if (entry.readTally.answer(from, reply.role, reply.doubt) && record !== undefined) {
    entry.seen.push(record);
  }
}

/** `wait`: more may come and is wanted; `enough`: write now; `too-few`: a strict write must not be made. */
export function readingState(entry: WriteEntry): 'wait' | 'enough' | 'too-few' {
  const verdict = entry.readTally.verdict();
  if (verdict === 'met') return 'enough';
  // A sloppy write waits for all that can answer, even if they are not R: each context it knows is a sibling less.
  if (entry.sloppy) return entry.readTally.open > 0 ? 'wait' : 'enough';
  return verdict === 'pending' ? 'wait' : 'too-few';
}
