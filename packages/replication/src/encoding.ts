/**
 * Integers and byte strings in bytes, for records and messages.
 *
 * A varint is little-endian base 128, low 7 bits first, the high bit set on all bytes but the last; 2^53 - 1 at most,
 * never longer than needed: a number has one encoding, which canonical records rely on. Fixed integers are big-endian.
 *
 * A reader trusts nothing: every length is checked against the bytes that are there before it is used.
 */
import { ReplicationError, type ReplicationErrorCode } from './errors.ts';

const TWO_32 = 0x100000000;
/** 2^53 - 1 needs ⌈53 / 7⌉ bytes. */
const VARINT_BYTES_MAX = 8;

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

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
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`varint of ${value}`);
  let rest = value;
  while (rest >= 0x80) {
    // `& 0x7f` of a number over 2^32 takes its low 7 bits all the same: ToInt32 is modulo 2^32.
    target[at++] = (rest & 0x7f) | 0x80;
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
  }
  target[at] = rest;
  return at + 1;
}

/** Writes a safe non-negative integer as u64 big-endian; returns the offset behind it. */
export function writeUint64(target: Buffer, at: number, value: number): number {
  target.writeUInt32BE(Math.floor(value / TWO_32), at);
  return target.writeUInt32BE(value % TWO_32, at + 4);
}

/** Reads forward; whatever is not there or not canonical throws a ReplicationError with the code given. */
export class ByteReader {
  readonly bytes: Buffer;
  at = 0;
  readonly #code: ReplicationErrorCode;

  constructor(bytes: Uint8Array, code: ReplicationErrorCode) {
    this.bytes = asBuffer(bytes);
    this.#code = code;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  fail(what: string): never {
    throw new ReplicationError(this.#code, `${what} at byte ${this.at} of ${this.bytes.length}`);
  }

  #take(count: number): number {
    const at = this.at;
    if (count > this.bytes.length - at) this.fail(`${count} bytes expected, end`);
    this.at = at + count;
    return at;
  }

  uint8(): number {
    return this.bytes[this.#take(1)] as number;
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.#take(2));
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.#take(4));
  }

  /** At most 2^53 - 1. */
  uint64(): number {
    const at = this.#take(8);
    const high = this.bytes.readUInt32BE(at);
    if (high > 0x1fffff) this.fail('integer above 2^53 - 1');
    return high * TWO_32 + this.bytes.readUInt32BE(at + 4);
  }

  varint(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at++;
      return first;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= VARINT_BYTES_MAX; count++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte >= 0x80) continue;
      if (byte === 0 && count > 1) this.fail('varint longer than needed');
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    return this.fail('varint above 2^53 - 1');
  }

  /** How many elements follow, each at least `bytesEach` long: never more than the bytes that are left can hold. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.remaining) this.fail(`${count} elements declared, too few bytes`);
    return count;
  }

  /** A view, not a copy. */
  view(length: number): Buffer {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A length and as many bytes, as a view. */
  sized(): Buffer {
    return this.view(this.varint());
  }

  latin1(length: number): string {
    const at = this.#take(length);
    return this.bytes.toString('latin1', at, at + length);
  }

  /** A length and as many bytes of UTF-8, which must be the encoding of the text: no byte is replaced. */
  text(): string {
    const bytes = this.sized();
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes)) this.fail('text is not UTF-8');
    return text;
  }

  end(): void {
    if (this.at !== this.bytes.length) this.fail('more bytes than the structure has');
  }
}

/** Appends, growing as needed. `finish` gives the bytes without a copy. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  /** `sizeHint`: bytes that will probably do. */
  constructor(sizeHint: number) {
    this.#bytes = Buffer.allocUnsafe(sizeHint);
  }

  #reserve(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, at + count));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    this.#at = at + count;
    return at;
  }

  uint8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes.writeUInt8(value, at);
  }

  uint16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16BE(value, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  /** For what is little-endian elsewhere too: leaves. */
  uint32LE(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  uint64(value: number): void {
    const at = this.#reserve(8);
    writeUint64(this.#bytes, at, value);
  }

  varint(value: number): void {
    const at = this.#reserve(varintLength(value));
    writeVarint(this.#bytes, at, value);
  }

  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.varint(length);
    const at = this.#reserve(length);
    this.#bytes.write(text, at, 'utf8');
  }

  /** One byte per character, no length. */
  latin1(text: string): void {
    const at = this.#reserve(text.length);
    this.#bytes.write(text, at, 'latin1');
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
}
