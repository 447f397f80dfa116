/** What a client is told about a write that did not end well: how far it got, and what was in its way. */
import type { Millis } from '../effects.ts';
import type { WriteEntry } from './write-entry.ts';

/** Too few nodes can be reached for the quorum: nothing was tried. */
export function whyNotTried(entry: WriteEntry): string {
  const { pw } = entry.request.consistency;
  return `can reach ${entry.tally.possible} of W=${entry.request.consistency.w} nodes${pw > 0 ? `, PW=${pw}` : ''}`;
}

/** The contexts that must be read first could not be: nothing was written. */
export function whyNotRead(entry: WriteEntry, now: Millis): string {
  const { r } = entry.request.consistency;
  return `read from ${entry.readTally.answered} of R=${r} in ${Math.round(now - entry.startedAt)} ms, before writing`;
}

export function whyLate(entry: WriteEntry, now: Millis): string {
  return `${progress(entry)} in ${Math.round(now - entry.startedAt)} ms`;
}

export function whyStopped(entry: WriteEntry): string {
  return `${progress(entry)} when the node stopped`;
}

/** The quorum is out of reach before the time is over. */
export function whyGivenUp(entry: WriteEntry, now: Millis): string {
  const { engineError } = entry;
  const cause =
    engineError === undefined
      ? 'too many replicas refused or went out of reach'
      : `the coordinator's own copy failed: ${engineError}`;
  return `${progress(entry)} after ${Math.round(now - entry.startedAt)} ms; ${cause}`;
}

function progress(entry: WriteEntry): string {
  const { w, pw, dw } = entry.request.consistency;
  const more = `${pw > 0 ? `, PW=${pw}` : ''}${dw > 0 ? `, DW=${dw}` : ''}`;
  return `wrote to ${entry.tally.acknowledged} of W=${w}${more}`;
}
