/**
 * Several ordered sources as one. The sources that have an entry stand in a binary heap, the one whose turn it is at the
 * top; a step moves that source and lets it sink. When the direction changes, all other sources are placed on the other
 * side of the current entry first.
 *
 * An internal key is in one source only, save one that was written twice (a log replayed over a table): then both are
 * given, the newer source's first when going forward.
 */
import { compareKeys } from '../key-order.ts';
import type { InternalIterator } from './iterator.ts';

const FORWARD = 1;
const BACKWARD = -1;

interface Source {
  readonly iterator: InternalIterator;
  /** Place in the list of sources: the smaller, the newer. */
  readonly age: number;
  /** Key of the source's entry, a view; taken once per step of the source. */
  key: Buffer;
}

const NO_KEY = Buffer.alloc(0);

export class MergingIterator implements InternalIterator {
  readonly #sources: readonly Source[];
  readonly #heap: Source[] = [];
  #direction: 1 | -1 = FORWARD;

  /** Newest source first. */
  constructor(sources: readonly InternalIterator[]) {
    this.#sources = sources.map((iterator, age) => ({ iterator, age, key: NO_KEY }));
  }

  valid(): boolean {
    if (this.#heap.length > 0) return true;
    // After a step that threw, the source that could not be read throws again: a failure never looks like the end.
    for (const { iterator } of this.#sources) iterator.valid();
    return false;
  }

  seekToFirst(): void {
    this.#heap.length = 0;
    for (const { iterator } of this.#sources) iterator.seekToFirst();
    this.#rebuild(FORWARD);
  }

  seekToLast(): void {
    this.#heap.length = 0;
    for (const { iterator } of this.#sources) iterator.seekToLast();
    this.#rebuild(BACKWARD);
  }

  seek(internalKey: Buffer): void {
    this.#heap.length = 0;
    for (const { iterator } of this.#sources) iterator.seek(internalKey);
    this.#rebuild(FORWARD);
  }

  next(): void {
    if (this.#direction !== FORWARD) this.#turnForward();
    const top = this.#heap[0] as Source;
    top.iterator.next();
    this.#settle(top);
  }

  prev(): void {
    if (this.#direction !== BACKWARD) this.#turnBackward();
    const top = this.#heap[0] as Source;
    top.iterator.prev();
    this.#settle(top);
  }

  key(): Buffer {
    return (this.#heap[0] as Source).key;
  }

  value(): Buffer {
    return (this.#heap[0] as Source).iterator.value();
  }

  /** Places every other source at its first entry behind the current one. */
  #turnForward(): void {
    const current = this.#heap[0] as Source;
    const key = Buffer.from(current.key);
    this.#heap.length = 0;
    for (const source of this.#sources) if (source !== current) this.#placeBehind(source, key, current.age);
    this.#rebuild(FORWARD);
  }

  #placeBehind({ iterator, age }: Source, key: Buffer, currentAge: number): void {
    iterator.seek(key);
    // An equal key of a newer source comes before the current entry, of an older one behind it.
    if (age < currentAge && iterator.valid() && compareKeys(iterator.key(), key) === 0) iterator.next();
  }

  /** Places every other source at its last entry before the current one. */
  #turnBackward(): void {
    const current = this.#heap[0] as Source;
    const key = Buffer.from(current.key);
    this.#heap.length = 0;
    for (const source of this.#sources) if (source !== current) this.#placeBefore(source, key, current.age);
    this.#rebuild(BACKWARD);
  }

  #placeBefore({ iterator, age }: Source, key: Buffer, currentAge: number): void {
    iterator.seek(key);
    if (!iterator.valid()) iterator.seekToLast();
    else if (age > currentAge || compareKeys(iterator.key(), key) !== 0) iterator.prev();
  }

  #rebuild(direction: 1 | -1): void {
    const heap = this.#heap;
    heap.length = 0;
    this.#direction = direction;
    for (const source of this.#sources) {
      if (!source.iterator.valid()) continue;
      source.key = source.iterator.key();
      heap.push(source);
    }
    for (let at = (heap.length >>> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  /** After the top source has moved: takes its new key, or takes it out. */
  #settle(top: Source): void {
    const heap = this.#heap;
    if (top.iterator.valid()) {
      top.key = top.iterator.key();
    } else {
      const last = heap.pop() as Source;
      if (heap.length === 0) return;
      heap[0] = last;
    }
    if (heap.length > 1) this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const source = heap[from] as Source;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1] as Source, heap[child] as Source)) child++;
      if (!this.#isBefore(heap[child] as Source, source)) break;
      heap[at] = heap[child] as Source;
      at = child;
    }
    heap[at] = source;
  }

  #isBefore(a: Source, b: Source): boolean {
    const order = compareKeys(a.key, b.key);
    return (order !== 0 ? order : a.age - b.age) * this.#direction < 0;
  }
}
