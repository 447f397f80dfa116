/**
 * Walks all entries of one table, both ways, block by block. A block that cannot be read is never skipped: the step
 * throws, and so does every use of the iterator after it, until it is placed anew.
 */
import type { InternalIterator } from '../iterator/iterator.ts';
import type { Block } from './block.ts';
import { BlockIterator } from './block-iterator.ts';
import type { BlockHandle } from './format.ts';
import type { IndexCursor } from './index-cursor.ts';

/** What an iterator needs of its table. */
export interface BlockSource {
  block(handle: BlockHandle, fillCache: boolean): Block;
  indexCursor(fillCache: boolean): IndexCursor;
}

export class TableIterator implements InternalIterator {
  readonly #source: BlockSource;
  readonly #fillCache: boolean;
  readonly #index: IndexCursor;
  readonly #entries = new BlockIterator();
  /** Set while a step is under way, and left set when it threw. */
  #broken = false;
  #error: unknown = undefined;

  constructor(source: BlockSource, fillCache: boolean) {
    this.#source = source;
    this.#fillCache = fillCache;
    this.#index = source.indexCursor(fillCache);
  }

  valid(): boolean {
    if (this.#broken) throw this.#error;
    return this.#entries.valid();
  }

  seekToFirst(): void {
    this.#run(() => {
      this.#index.seekToFirst();
      this.#enterBlock();
      this.#entries.seekToFirst();
    });
  }

  seekToLast(): void {
    this.#run(() => {
      this.#index.seekToLast();
      this.#enterBlock();
      this.#entries.seekToLast();
    });
  }

  seek(internalKey: Buffer): void {
    this.#run(() => {
      this.#index.seek(internalKey);
      this.#enterBlock();
      this.#entries.seek(internalKey);
      if (!this.#entries.valid()) this.#nextBlock();
    });
  }

  next(): void {
    if (this.#broken) throw this.#error;
    this.#broken = true;
    try {
      this.#entries.next();
      if (!this.#entries.valid()) this.#nextBlock();
      this.#broken = false;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  prev(): void {
    if (this.#broken) throw this.#error;
    this.#broken = true;
    try {
      this.#entries.prev();
      if (!this.#entries.valid()) this.#previousBlock();
      this.#broken = false;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  key(): Buffer {
    return this.#entries.key();
  }

  value(): Buffer {
    return this.#entries.value();
  }

  #run(place: () => void): void {
    this.#broken = true;
    try {
      place();
      this.#broken = false;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  #nextBlock(): void {
    if (!this.#index.valid) return;
    this.#index.next();
    this.#enterBlock();
    this.#entries.seekToFirst();
  }

  #previousBlock(): void {
    this.#index.prev();
    this.#enterBlock();
    this.#entries.seekToLast();
  }

  #enterBlock(): void {
    const index = this.#index;
    this.#entries.reset(index.valid ? this.#source.block(index, this.#fillCache) : undefined);
  }
}
