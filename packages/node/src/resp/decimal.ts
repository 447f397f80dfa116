/** Numbers in requests, as strict as Redis: no plus sign, no leading zero, no space, nothing behind. */

const MINUS = 0x2d;
const ZERO = 0x30;
/** More digits than any safe integer has; such a number is out of every range, but still a number to Redis. */
const DIGITS_MAX = 20;

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** The 64-bit signed integer that `bytes` are; undefined when they are none. */
export function readInt64(bytes: Uint8Array): bigint | undefined {
  const approximate = readDecimal(bytes);
  if (Number.isNaN(approximate)) return undefined;
  if (Number.isSafeInteger(approximate)) return BigInt(approximate);
  const exact = BigInt(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
  return exact < INT64_MIN || exact > INT64_MAX ? undefined : exact;
}

/** The integer that stands in `bytes` from `start` up to `end`; NaN when it is none. Beyond 2^53 it is approximate. */
export function readDecimal(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start === 1 && bytes[start] === ZERO) return 0;
  const negative = bytes[start] === MINUS;
  const from = negative ? start + 1 : start;
  if (from >= end || end - from > DIGITS_MAX || bytes[from] === ZERO) return NaN;
  let value = 0;
  for (let i = from; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
