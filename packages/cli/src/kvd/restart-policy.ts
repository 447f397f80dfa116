/**
 * What a supervisor does about a node that died: data in, decision out.
 *
 * A node that had been ready comes back after the restart delay, however often. One that dies before it is ready gets longer
 * and longer pauses and a limited number of tries; when its exit code says that no try can help, none is made.
 */
import { EXIT_CODES } from '../exit-codes.ts';

export interface Death {
  /** Whether the node had announced that it is ready. */
  readonly wasReady: boolean;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Last line of its stderr, if it wrote any. */
  readonly lastError: string | undefined;
}

export type Decision =
  | { readonly kind: 'restart'; readonly afterMs: number; readonly failures: number }
  | { readonly kind: 'give-up'; readonly failures: number };

/** Tries in a row that end before the node is ready. */
export const FAILURES_MAX = 5;
const PAUSE_MS_MAX = 60_000;
const HOPELESS: readonly unknown[] = [EXIT_CODES.usage, EXIT_CODES.dataDirectory];

export function decide(death: Death, failuresBefore: number, restartDelayMs: number): Decision {
  if (death.wasReady) return { kind: 'restart', afterMs: restartDelayMs, failures: 0 };
  const failures = failuresBefore + 1;
  if (HOPELESS.includes(death.exitCode) || failures >= FAILURES_MAX) return { kind: 'give-up', failures };
  const afterMs = Math.min(restartDelayMs * 2 ** (failures - 1), Math.max(restartDelayMs, PAUSE_MS_MAX));
  return { kind: 'restart', afterMs, failures };
}

/** `killed by SIGKILL`, `exit code 70`: how a process ended, for people. */
export function describeDeath(death: Death): string {
  const how = death.signal === null ? `exit code ${death.exitCode}` : `killed by ${death.signal}`;
  return death.lastError === undefined ? how : `${how}: ${death.lastError}`;
}
