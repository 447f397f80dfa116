/**
 * A place in a table's index: the handle of one data block. Over a two-level index it holds the partition that it is in.
 */
import { readVarint } from '../encoding.ts';
import { type Block, EntryHeader, restartsBefore } from './block.ts';
import type { BlockHandle } from './format.ts';

/** Fetches an index partition; may throw LSM_CORRUPTION, LSM_IO. */
export type PartitionLoader = (handle: BlockHandle) => Block;

export class IndexCursor implements BlockHandle {
  /** Of the data block, while `valid`. */
  offset = 0;
  length = 0;
  valid = false;
  readonly #top: Block;
  readonly #load: PartitionLoader | undefined;
  readonly #header = new EntryHeader();
  readonly #cursor = { at: 0 };
  #topAt = 0;
  #leaf: Block;
  #at = 0;

  /** `load` is given for a two-level index. */
  constructor(top: Block, load: PartitionLoader | undefined) {
    this.#top = top;
    this.#load = load;
    this.#leaf = top;
  }

  /** To the block that holds the first entry at or behind `key`, if any block does. */
  seek(key: Buffer): void {
    if (this.#load !== undefined && !this.#enter(restartsBefore(this.#top, key))) return;
    this.#place(restartsBefore(this.#leaf, key));
    if (!this.valid && this.#load !== undefined) this.next();
  }

  seekToFirst(): void {
    if (this.#load === undefined || this.#enter(0)) this.#place(0);
  }

  seekToLast(): void {
    if (this.#load === undefined || this.#enter(this.#top.restarts - 1)) this.#place(this.#leaf.restarts - 1);
  }

  next(): void {
    this.#place(this.#at + 1);
    if (!this.valid && this.#load !== undefined && this.#enter(this.#topAt + 1)) this.#place(0);
  }

  prev(): void {
    this.#place(this.#at - 1);
    if (!this.valid && this.#load !== undefined && this.#enter(this.#topAt - 1)) this.#place(this.#leaf.restarts - 1);
  }

  /** Makes the partition at `ordinal` of the top index the current one; false when there is none. */
  #enter(ordinal: number): boolean {
    this.valid = false;
    if (ordinal < 0 || ordinal >= this.#top.restarts) return false;
    this.#readHandle(this.#top, ordinal);
    this.#leaf = (this.#load as PartitionLoader)({ offset: this.offset, length: this.length });
    this.#topAt = ordinal;
    return true;
  }

  #place(ordinal: number): void {
    this.#at = ordinal;
    this.valid = ordinal >= 0 && ordinal < this.#leaf.restarts;
    if (this.valid) this.#readHandle(this.#leaf, ordinal);
  }

  #readHandle(block: Block, ordinal: number): void {
    this.#header.decode(block, block.restartAt(ordinal));
    const cursor = this.#cursor;
    cursor.at = this.#header.valueAt;
    this.offset = readVarint(block.bytes, cursor, this.#header.end);
    this.length = readVarint(block.bytes, cursor, this.#header.end);
  }
}
