/**
 * Makes one block of sorted entries. Keys share their beginning with the key before, except at restart points, where a
 * reader can begin without what came before (docs/formats.md "Block"):
 *
 *   entry     shared varint | unshared varint | value length varint | unshared bytes of the user key | trailer 8 | value
 *   block     entry* | restart offset u32 * | number of restarts u32
 *
 * Only user keys share bytes; the trailer is always whole, so that readers find sequence and kind without the key.
 */
import { writeVarint } from '../encoding.ts';
import { TRAILER_BYTES } from '../internal-key.ts';

const HEADER_BYTES_MAX = 24;

export class BlockBuilder {
  readonly #restartInterval: number;
  #bytes = Buffer.allocUnsafeSlow(8192);
  #length = 0;
  #restarts: number[] = [];
  #entries = 0;
  #entriesSinceRestart = 0;
  #lastUserKey = Buffer.allocUnsafeSlow(256);
  #lastLength = 0;

  constructor(restartInterval: number) {
    this.#restartInterval = restartInterval;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Bytes that `finish` would give. */
  get sizeBytes(): number {
    return this.#length + 4 * this.#restarts.length + 4;
  }

  /** Keys must come in ascending order; the writer checks that. Both are copied. */
  add(key: Buffer, value: Buffer): void {
    const userLength = key.length - TRAILER_BYTES;
    const shared = this.#startEntry(key, userLength);
    this.#reserve(HEADER_BYTES_MAX + key.length - shared + value.length);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#length, shared);
    at = writeVarint(bytes, at, userLength - shared);
    at = writeVarint(bytes, at, value.length);
    at += key.copy(bytes, at, shared);
    at += value.copy(bytes, at);
    this.#length = at;
    this.#entries++;
    this.#keepKey(key, userLength);
  }

  /** The block's bytes: a view that is valid until the next `add` after `reset`. */
  finish(): Buffer {
    this.#reserve(4 * this.#restarts.length + 4);
    let at = this.#length;
    for (const offset of this.#restarts) at = this.#bytes.writeUInt32LE(offset, at);
    at = this.#bytes.writeUInt32LE(this.#restarts.length, at);
    return this.#bytes.subarray(0, at);
  }

  reset(): void {
    this.#length = 0;
    this.#restarts = [];
    this.#entries = 0;
    this.#entriesSinceRestart = 0;
    this.#lastLength = 0;
  }

  /** The number of bytes to share with the key before; opens a new restart point when one is due. */
  #startEntry(key: Buffer, userLength: number): number {
    if (this.#entries > 0 && this.#entriesSinceRestart < this.#restartInterval) {
      this.#entriesSinceRestart++;
      return this.#sharedLength(key, userLength);
    }
    this.#restarts.push(this.#length);
    this.#entriesSinceRestart = 1;
    return 0;
  }

  #sharedLength(key: Buffer, userLength: number): number {
    const last = this.#lastUserKey;
    const limit = Math.min(userLength, this.#lastLength);
    let shared = 0;
    while (shared < limit && key[shared] === last[shared]) shared++;
    return shared;
  }

  #keepKey(key: Buffer, userLength: number): void {
    if (this.#lastUserKey.length < userLength) this.#lastUserKey = Buffer.allocUnsafeSlow(userLength * 2);
    key.copy(this.#lastUserKey, 0, 0, userLength);
    this.#lastLength = userLength;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
