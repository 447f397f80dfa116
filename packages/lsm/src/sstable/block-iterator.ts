/**
 * Walks one block both ways; given another block, it walks that. Keys are put together in one buffer that is used for
 * all of them. Going back, the keys of one restart interval are put together once and then taken from the end.
 */
import { TRAILER_BYTES } from '../internal-key.ts';
import type { InternalIterator } from '../iterator/iterator.ts';
import { compareKeyRange } from '../key-order.ts';
import { type Block, damagedBlock, EntryHeader, restartOf, restartsBefore } from './block.ts';

/** Below this many bytes, a loop beats a call into the runtime. */
const LOOP_COPY_BYTES = 32;

export class BlockIterator implements InternalIterator {
  #block: Block | undefined;
  readonly #header = new EntryHeader();
  /** Offset of the current entry. */
  #at = 0;
  #valid = false;
  #key = Buffer.allocUnsafeSlow(128);
  #keyLength = TRAILER_BYTES;
  #keyView = this.#key.subarray(0, TRAILER_BYTES);
  readonly #interval = new Interval();

  /** Begins anew, at no entry, in another block or in none. */
  reset(block: Block | undefined): void {
    this.#block = block;
    this.#valid = false;
    this.#interval.clear();
  }

  valid(): boolean {
    return this.#valid;
  }

  seekToFirst(): void {
    this.#restart(0);
  }

  seekToLast(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#interval.clear();
    this.#restart(block.restarts - 1);
    while (this.#valid && this.#header.end < block.entriesEnd) this.next();
  }

  seek(internalKey: Buffer): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#restart(Math.max(0, restartsBefore(block, internalKey) - 1));
    while (this.#valid && compareKeyRange(this.#key, 0, this.#keyLength, internalKey) < 0) this.next();
  }

  next(): void {
    this.#load(this.#header.end);
  }

  prev(): void {
    const block = this.#block as Block;
    const interval = this.#interval;
    if (interval.endAt !== this.#at) this.#fillInterval(block);
    if (interval.count === 0) {
      this.#valid = false;
      return;
    }
    const last = interval.pop();
    this.#header.decode(block, last.at);
    this.#at = last.at;
    this.#setKey(interval.keys, last.keyAt, 0, last.keyEnd - last.keyAt);
  }

  key(): Buffer {
    if (this.#keyView.length !== this.#keyLength) this.#keyView = this.#key.subarray(0, this.#keyLength);
    return this.#keyView;
  }

  value(): Buffer {
    return (this.#block as Block).bytes.subarray(this.#header.valueAt, this.#header.end);
  }

  #restart(ordinal: number): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#keyLength = TRAILER_BYTES;
    this.#load(block.restartAt(ordinal));
  }

  #load(at: number): void {
    const block = this.#block as Block;
    this.#valid = at < block.entriesEnd;
    if (!this.#valid) return;
    const header = this.#header;
    header.decode(block, at);
    if (header.shared + TRAILER_BYTES > this.#keyLength) throw damagedBlock(`entry at ${at} shares more than there is`);
    this.#at = at;
    this.#setKey(block.bytes, header.keyAt, header.shared, header.unshared + TRAILER_BYTES);
  }

  /** Makes the key its first `keep` bytes followed by `length` bytes of `source`. */
  #setKey(source: Buffer, from: number, keep: number, length: number): void {
    const end = keep + length;
    if (end > this.#key.length) this.#growKey(end);
    const key = this.#key;
    if (length <= LOOP_COPY_BYTES) for (let i = 0; i < length; i++) key[keep + i] = source[from + i] as number;
    else source.copy(key, keep, from, from + length);
    this.#keyLength = end;
  }

  #growKey(length: number): void {
    const larger = Buffer.allocUnsafeSlow(length * 2);
    this.#key.copy(larger);
    this.#key = larger;
    this.#keyView = larger.subarray(0, this.#keyLength);
  }

  /** Takes in the entries from the restart point before the current entry up to it. */
  #fillInterval(block: Block): void {
    const end = this.#at;
    const interval = this.#interval;
    interval.begin(end);
    if (end === 0) return;
    this.#restart(restartOf(block, end - 1));
    while (this.#at < end) {
      interval.push(this.#at, this.#key, this.#keyLength);
      if (this.#header.end >= end) return;
      this.#load(this.#header.end);
    }
  }
}

interface IntervalEntry {
  at: number;
  keyAt: number;
  keyEnd: number;
}

/** Entries before the current one, of one restart interval, with their whole keys. */
class Interval {
  keys = Buffer.allocUnsafeSlow(1024);
  count = 0;
  /** Offset of the entry that follows the last one kept. */
  endAt = -1;
  readonly #entries: IntervalEntry[] = [];

  clear(): void {
    this.count = 0;
    this.endAt = -1;
  }

  begin(endAt: number): void {
    this.count = 0;
    this.endAt = endAt;
  }

  push(at: number, key: Buffer, keyLength: number): void {
    const keyAt = this.count === 0 ? 0 : (this.#entries[this.count - 1] as IntervalEntry).keyEnd;
    const keyEnd = keyAt + keyLength;
    if (keyEnd > this.keys.length) this.#grow(keyEnd);
    key.copy(this.keys, keyAt, 0, keyLength);
    if (this.count === this.#entries.length) this.#entries.push({ at: 0, keyAt: 0, keyEnd: 0 });
    const entry = this.#entries[this.count++] as IntervalEntry;
    entry.at = at;
    entry.keyAt = keyAt;
    entry.keyEnd = keyEnd;
  }

  pop(): IntervalEntry {
    const entry = this.#entries[--this.count] as IntervalEntry;
    // With none left, the next step back must fill the interval before this entry.
    this.endAt = this.count === 0 ? -1 : entry.at;
    return entry;
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(length * 2);
    this.keys.copy(larger);
    this.keys = larger;
  }
}
