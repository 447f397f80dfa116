/** When a value expires, and whether a reader is shown it: by the wall part of the reader's hybrid time. */
import type { Dot } from './dot.ts';
import type { DottedValue, LiveValue } from './record.ts';

/** The deadline that PERSIST sets. */
export const FOREVER_MS = Number.MAX_SAFE_INTEGER;

/**
 * When a value expires, by the wall part of hybrid time. The dot is the value's when set with it, else of a write of
 * its own.
 */
export interface Deadline {
  readonly atMs: number;
  readonly dot: Dot;
}

/** The deadline that counts, or undefined when the value never expires. */
export function deadlineMsOf(value: { readonly deadlines: readonly Deadline[] }): number | undefined {
  let latest: number | undefined;
  for (const { atMs } of value.deadlines) if (latest === undefined || atMs > latest) latest = atMs;
  return latest === FOREVER_MS ? undefined : latest;
}

/** The value's time has come, whether or not it still has its bytes. */
export function isDue(value: DottedValue, nowMs: number): boolean {
  const deadlineMs = deadlineMsOf(value);
  return deadlineMs !== undefined && nowMs >= deadlineMs;
}

/** A reader at `nowMs` is shown this value. */
export function isShown(value: DottedValue, nowMs: number): value is LiveValue {
  return value.bytes !== undefined && !isDue(value, nowMs);
}
