/**
 * The order of internal keys on the hot paths. Keys are mostly short, and a call into Buffer.compare costs more than
 * comparing a few bytes here; what is still equal after that is left to it.
 */
import { TRAILER_BYTES } from './internal-key.ts';

const BYTE_LOOP_MAX = 48;

/** memcmp of two byte ranges: negative, zero or positive. */
export function compareRanges(
  a: Buffer,
  aStart: number,
  aEnd: number,
  b: Buffer,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const common = aLength < bLength ? aLength : bLength;
  const looped = common < BYTE_LOOP_MAX ? common : BYTE_LOOP_MAX;
  for (let i = 0; i < looped; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return difference;
  }
  if (looped === common) return aLength - bLength;
  return a.compare(b, bStart + looped, bEnd, aStart + looped, aEnd);
}

/** Order of the internal key at [aStart, aEnd) of `a` and all of `b`: user keys ascending, then newest first. */
export function compareKeyRange(a: Buffer, aStart: number, aEnd: number, b: Buffer): number {
  const aUserEnd = aEnd - TRAILER_BYTES;
  const bUserEnd = b.length - TRAILER_BYTES;
  const order = compareRanges(a, aStart, aUserEnd, b, 0, bUserEnd);
  return order !== 0 ? order : compareTrailers(a, aUserEnd, b, bUserEnd);
}

/** Order of two internal keys; the same as `compareInternalKeys`, quicker for short keys. */
export function compareKeys(a: Buffer, b: Buffer): number {
  return compareKeyRange(a, 0, a.length, b);
}

/** Order of two trailers: the larger one, which is newer, comes first. */
export function compareTrailers(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  for (let i = 0; i < TRAILER_BYTES; i++) {
    const difference = (b[bAt + i] as number) - (a[aAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** True when two internal keys have the same user key. */
export function sameUserKey(a: Buffer, b: Buffer): boolean {
  if (a.length !== b.length) return false;
  return compareRanges(a, 0, a.length - TRAILER_BYTES, b, 0, b.length - TRAILER_BYTES) === 0;
}
