/**
 * The newest writes, in memory and in order. Entries are never changed or removed: a newer entry of a key comes before
 * the older ones. Reads see an entry as soon as `add` returns.
 */
import type { InternalIterator } from '../iterator/iterator.ts';
import { KIND_SEEK, TRAILER_BYTES } from '../internal-key.ts';
import type { Lookup } from '../lookup.ts';
import { SkipList, type Span } from './skiplist.ts';

export { LIST_START as EMPTY_ARENA_BYTES, NODE_OVERHEAD_MAX as ENTRY_OVERHEAD_BYTES_MAX } from './skiplist.ts';

export class Memtable {
  readonly arena: SharedArrayBuffer;
  readonly #list: SkipList;

  /** `arena` must have been formatted (arena-pool.ts); `seed` decides the tower heights. */
  constructor(arena: SharedArrayBuffer, used: number, seed: number) {
    this.arena = arena;
    this.#list = new SkipList(arena, used, seed);
  }

  get entries(): number {
    return this.#list.entries;
  }

  get bytesUsed(): number {
    return this.#list.used;
  }

  get bytesFree(): number {
    return this.arena.byteLength - this.#list.used;
  }

  /** Adds an entry whose key and value are parts of `source`; they are copied. */
  add(source: Uint8Array, key: Span, value: Span, sequence: number, kind: number): void {
    const high = Math.floor(sequence / 0x1000000);
    const low = (((sequence - high * 0x1000000) << 8) | kind) >>> 0;
    this.#list.insert(source, key, high, low, value);
  }

  /** Gives the entries of the lookup's key to it, newest first; true when it needs no more. */
  find(lookup: Lookup): boolean {
    const list = this.#list;
    const length = lookup.userKey.length;
    const high = Math.floor(lookup.sequence / 0x1000000);
    const low = (((lookup.sequence - high * 0x1000000) << 8) | KIND_SEEK) >>> 0;
    let node = list.seek(lookup.userKey, length, high, low);
    while (node !== 0 && list.hasSoughtKey(node, length)) {
      const valueAt = list.keyStart(node) + length + TRAILER_BYTES;
      const kind = list.bytes[valueAt - 1] as number;
      if (lookup.add(kind, list.bytes.subarray(valueAt, valueAt + list.valueLength(node)))) return true;
      node = list.next(node);
    }
    return false;
  }

  iterator(): InternalIterator {
    return new MemtableIterator(this.#list);
  }
}

/** Reads a sealed memtable by its arena alone: what a flush job does in a worker. */
export function memtableIterator(arena: SharedArrayBuffer, arenaBytes: number): InternalIterator {
  return new MemtableIterator(new SkipList(arena, arenaBytes, 1));
}

class MemtableIterator implements InternalIterator {
  readonly #list: SkipList;
  #node = 0;

  constructor(list: SkipList) {
    this.#list = list;
  }

  valid(): boolean {
    return this.#node !== 0;
  }

  seekToFirst(): void {
    this.#node = this.#list.first();
  }

  seekToLast(): void {
    this.#node = this.#list.last();
  }

  seek(internalKey: Buffer): void {
    const length = internalKey.length - TRAILER_BYTES;
    const high = internalKey.readUInt32BE(length);
    this.#node = this.#list.seek(internalKey, length, high, internalKey.readUInt32BE(length + 4));
  }

  next(): void {
    this.#node = this.#list.next(this.#node);
  }

  prev(): void {
    this.#node = this.#list.previous(this.#node);
  }

  key(): Buffer {
    const start = this.#list.keyStart(this.#node);
    return this.#list.bytes.subarray(start, start + this.#list.userKeyLength(this.#node) + TRAILER_BYTES);
  }

  value(): Buffer {
    const start = this.#list.keyStart(this.#node) + this.#list.userKeyLength(this.#node) + TRAILER_BYTES;
    return this.#list.bytes.subarray(start, start + this.#list.valueLength(this.#node));
  }
}
