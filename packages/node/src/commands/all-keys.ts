/**
 * Walks over all keys of the cluster for a command: page by page, with what differs between owners read, so that what is shown is
 * what GET would find. A command that looks at all keys waits for the earlier writes of its connection: it must see them.
 */
import type { Consistency } from '@kvd/replication';
import type { RespValue } from '../resp/value.ts';
import type { ScanOutcome, ScannedKey, ScanPlace } from '../scan-reader.ts';
import type { Call } from './command-row.ts';
import { readValue } from './records.ts';
import { readFailed } from './reply-errors.ts';
import { scatter } from './scatter.ts';

export const FIRST_PLACE: ScanPlace = Object.freeze({ slot: 0, after: Buffer.alloc(0) });

export interface KeyPage {
  /** Every key that is there. */
  readonly keys: readonly ScannedKey[];
  /** Records that were looked at, deleted ones too. */
  readonly visited: readonly ScannedKey[];
  readonly next: ScanPlace | undefined;
}

export interface PageWanted {
  readonly place: ScanPlace;
  readonly limit: number;
  readonly toSlot?: number;
}

/** One page; or what to tell the client. */
export function readPage(
  call: Call,
  consistency: Consistency,
  wanted: PageWanted,
  done: (page: KeyPage | undefined, failed?: RespValue) => void,
): void {
  call.services.scan({ ...wanted, consistency }, (outcome) => {
    if (outcome.status !== 'ok') return done(undefined, readFailed(outcome));
    settleDiffering(call, consistency, outcome, done);
  });
}

function settleDiffering(
  call: Call,
  consistency: Consistency,
  { keys, next }: Extract<ScanOutcome, { readonly status: 'ok' }>,
  done: (page: KeyPage | undefined, failed?: RespValue) => void,
): void {
  const differing = keys.filter(({ state }) => state === 'differs');
  scatter<ScannedKey, boolean>(
    differing,
    ({ key }, settled) => readValue(call, consistency, key, (value, failed) => settled(value !== undefined, failed)),
    (found, failed) => {
      if (failed !== undefined) return done(undefined, failed);
      const shown = new Set(differing.filter((_, i) => found[i]));
      done({ keys: keys.filter((key) => key.state === 'live' || shown.has(key)), visited: keys, next });
    },
  );
}

/** Page after page until `more` answers false or there are no more; `done` is told where it stopped. */
export function walkPages(
  call: Call,
  consistency: Consistency,
  wanted: PageWanted,
  more: (page: KeyPage) => boolean,
  done: (next: ScanPlace | undefined, failed?: RespValue) => void,
): void {
  readPage(call, consistency, wanted, (page, failed) => {
    if (page === undefined) return done(undefined, failed);
    const goesOn = more(page);
    if (page.next === undefined || !goesOn) return done(page.next);
    const place = page.next;
    // The next page in a turn of its own: others have theirs between, and the stack stays short.
    call.services.runtime.timers.defer(() => walkPages(call, consistency, { ...wanted, place }, more, done));
  });
}
