/**
 * Integers in bytes: varints up to 2^53 - 1 and 64-bit integers held as safe integers, in both byte orders.
 *
 * A varint is little-endian base 128, the low 7 bits first, the high bit set on all bytes but the last; at most 8 bytes,
 * never longer than needed. docs/formats.md "Integers".
 */
import { LsmError } from './errors.ts';

/** Where the next read begins; one is reused for a whole walk. */
export interface Cursor {
  at: number;
}

const TWO_32 = 0x100000000;
/** 2^53 - 1 needs ⌈53 / 7⌉ bytes. */
export const VARINT_BYTES_MAX = 8;

/** Bytes that `writeVarint` uses for `value`. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  if (value < 0x800000000) return 5;
  if (value < 0x40000000000) return 6;
  return value < 0x2000000000000 ? 7 : 8;
}

/** Writes a safe non-negative integer at `at`; returns the offset behind it. The room is the caller's to check. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`varint of ${value}`);
  let rest = value;
  while (rest >= 0x80) {
    // `& 0x7f` of a number over 2^32 takes its low 7 bits all the same: ToInt32 is modulo 2^32.
    target[at++] = (rest & 0x7f) | 0x80;
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
  }
  target[at] = rest;
  return at + 1;
}

/**
 * Reads the varint at `cursor.at` and moves the cursor behind it. `end` bounds the read.
 * Throws LSM_CORRUPTION when it is cut off, above 2^53 - 1, or longer than needed.
 */
export function readVarint(source: Uint8Array, cursor: Cursor, end: number = source.length): number {
  const at = cursor.at;
  if (at < end) {
    const first = source[at] as number;
    if (first < 0x80) {
      cursor.at = at + 1;
      return first;
    }
  }
  return readLongVarint(source, cursor, end);
}

function readLongVarint(source: Uint8Array, cursor: Cursor, end: number): number {
  let at = cursor.at;
  let value = 0;
  let scale = 1;
  for (let count = 1; count <= VARINT_BYTES_MAX; count++) {
    if (at >= end) throw malformedVarint(cursor.at, 'is cut off');
    const byte = source[at++] as number;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) {
      if (byte === 0 && count > 1) throw malformedVarint(cursor.at, 'is longer than needed');
      if (value > Number.MAX_SAFE_INTEGER) break;
      cursor.at = at;
      return value;
    }
  }
  throw malformedVarint(cursor.at, 'is above 2^53 - 1');
}

function malformedVarint(offset: number, what: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `varint at ${offset} ${what}`, { offset, kind: 'varint' });
}

export function writeUInt64LE(target: Buffer, at: number, value: number): void {
  target.writeUInt32LE(value % TWO_32, at);
  target.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

export function writeUInt64BE(target: Buffer, at: number, value: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_32), at);
  target.writeUInt32BE(value % TWO_32, at + 4);
}

/** Throws LSM_CORRUPTION above 2^53 - 1. */
export function readUInt64LE(source: Buffer, at: number): number {
  return joinUInt64(source.readUInt32LE(at + 4), source.readUInt32LE(at), at);
}

/** Throws LSM_CORRUPTION above 2^53 - 1. */
export function readUInt64BE(source: Buffer, at: number): number {
  return joinUInt64(source.readUInt32BE(at), source.readUInt32BE(at + 4), at);
}

function joinUInt64(high: number, low: number, offset: number): number {
  if (high > 0x1fffff) throw new LsmError('LSM_CORRUPTION', `integer at ${offset} is above 2^53 - 1`, { offset });
  return high * TWO_32 + low;
}
