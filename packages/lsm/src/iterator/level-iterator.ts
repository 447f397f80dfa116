/** A walk over the tables of one level below 0, which are sorted and disjoint: one table is open at a time. */
import type { InternalIterator } from './iterator.ts';
import { userKeyOf } from '../internal-key.ts';
import { firstEndingAtOrAfter, type TableMeta } from '../version/version.ts';

export class LevelIterator implements InternalIterator {
  readonly #tables: readonly TableMeta[];
  readonly #open: (table: TableMeta) => InternalIterator;
  #at = -1;
  #current: InternalIterator | undefined;

  constructor(tables: readonly TableMeta[], open: (table: TableMeta) => InternalIterator) {
    this.#tables = tables;
    this.#open = open;
  }

  valid(): boolean {
    return this.#current?.valid() ?? false;
  }

  seekToFirst(): void {
    this.#enter(0)?.seekToFirst();
    this.#skipForward();
  }

  seekToLast(): void {
    this.#enter(this.#tables.length - 1)?.seekToLast();
    this.#skipBackward();
  }

  seek(internalKey: Buffer): void {
    this.#enter(firstEndingAtOrAfter(this.#tables, userKeyOf(internalKey)))?.seek(internalKey);
    this.#skipForward();
  }

  next(): void {
    this.#current?.next();
    this.#skipForward();
  }

  prev(): void {
    this.#current?.prev();
    this.#skipBackward();
  }

  key(): Buffer {
    return (this.#current as InternalIterator).key();
  }

  value(): Buffer {
    return (this.#current as InternalIterator).value();
  }

  #skipForward(): void {
    while (this.#current !== undefined && !this.#current.valid()) this.#enter(this.#at + 1)?.seekToFirst();
  }

  #skipBackward(): void {
    while (this.#current !== undefined && !this.#current.valid()) this.#enter(this.#at - 1)?.seekToLast();
  }

  #enter(at: number): InternalIterator | undefined {
    if (at === this.#at && this.#current !== undefined) return this.#current;
    this.#at = at;
    const table = this.#tables[at];
    this.#current = table === undefined ? undefined : this.#open(table);
    return this.#current;
  }
}
