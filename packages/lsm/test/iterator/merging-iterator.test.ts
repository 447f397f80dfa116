import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeInternalKey } from '../../src/internal-key.ts';
import type { InternalIterator } from '../../src/iterator/iterator.ts';
import { MergingIterator } from '../../src/iterator/merging-iterator.ts';
import { compareKeys } from '../../src/key-order.ts';
import { copyEntry, type Entry, entry, readBackward, readForward, sortEntries } from '../sstable/table-fixtures.ts';

/** A source over an array. */
class ArrayIterator implements InternalIterator {
  readonly entries: readonly Entry[];
  at = -1;
  failAt: number | undefined;

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }
  valid(): boolean {
    if (this.at === this.failAt) throw new Error('cannot read');
    return this.at >= 0 && this.at < this.entries.length;
  }
  seekToFirst(): void {
    this.#to(0);
  }
  seekToLast(): void {
    this.#to(this.entries.length - 1);
  }
  seek(key: Buffer): void {
    const at = this.entries.findIndex((candidate) => compareKeys(candidate.key, key) >= 0);
    this.#to(at < 0 ? this.entries.length : at);
  }
  next(): void {
    expect(this.valid()).toBe(true);
    this.#to(this.at + 1);
  }
  prev(): void {
    expect(this.valid()).toBe(true);
    this.#to(this.at - 1);
  }
  key(): Buffer {
    return (this.entries[this.at] as Entry).key;
  }
  value(): Buffer {
    return (this.entries[this.at] as Entry).value;
  }
  #to(at: number): void {
    this.at = at;
    if (at === this.failAt) throw new Error('cannot read');
  }
}

/** Each entry is in one source or, as after a replay, in several. */
const sources = fc
  .uniqueArray(
    fc.record({
      key: fc.constantFrom('a', 'ab', 'b', 'c', 'd'),
      sequence: fc.nat(5),
      in: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
    }),
    {
      maxLength: 20,
      selector: ({ key, sequence }) => `${key}@${sequence}`,
    },
  )
  .map((list) =>
    Array.from({ length: 3 }, (_, age) =>
      sortEntries(
        list.filter((item) => item.in.includes(age)).map(({ key, sequence }) => entry(key, sequence, `source ${age}`)),
      ),
    ),
  );

function merged(lists: readonly (readonly Entry[])[]): Entry[] {
  const all = lists.flatMap((list, age) => list.map((item) => ({ item, age })));
  all.sort((a, b) => compareKeys(a.item.key, b.item.key) || a.age - b.age);
  return all.map(({ item }) => item);
}

describe('the merge of several sources', () => {
  test('is in order both ways, newer sources first where keys are equal', () => {
    fc.assert(
      fc.property(sources, (lists) => {
        const iterator = new MergingIterator(lists.map((list) => new ArrayIterator(list)));
        expect(readForward(iterator)).toEqual(merged(lists));
        expect(readBackward(iterator)).toEqual(merged(lists).reverse());
      }),
    );
  });

  test('may turn round anywhere', () => {
    const steps = fc.array(
      fc.oneof(
        fc.constantFrom('next', 'prev', 'prev', 'next', 'first', 'last'),
        fc.tuple(fc.constantFrom('', 'a', 'aa', 'b', 'd', 'e'), fc.nat(5)),
      ),
      { maxLength: 50 },
    );
    fc.assert(
      fc.property(sources, steps, (lists, walk) => {
        const expected = merged(lists);
        const iterator = new MergingIterator(lists.map((list) => new ArrayIterator(list)));
        let place = -1;
        for (const step of walk) {
          if (typeof step !== 'string') {
            const key = makeInternalKey(Buffer.from(step[0]), step[1], 1);
            iterator.seek(key);
            place = expected.findIndex((candidate) => compareKeys(candidate.key, key) >= 0);
          } else if (step === 'first' || step === 'last') {
            if (step === 'first') iterator.seekToFirst();
            else iterator.seekToLast();
            place = expected.length === 0 ? -1 : step === 'first' ? 0 : expected.length - 1;
          } else if (place !== -1) {
            if (step === 'next') iterator.next();
            else iterator.prev();
            place += step === 'next' ? 1 : -1;
            if (place === expected.length) place = -1;
          }
          expect(iterator.valid()).toBe(place !== -1);
          if (place !== -1) expect(copyEntry(iterator)).toEqual(expected[place]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('of nothing is empty', () => {
    const iterator = new MergingIterator([]);
    iterator.seekToFirst();
    expect(iterator.valid()).toBe(false);
  });

  test('never takes a source that cannot be read for one that has ended', () => {
    const good = new ArrayIterator([entry('a', 1), entry('c', 1)]);
    const bad = new ArrayIterator([entry('b', 1), entry('d', 1)]);
    bad.failAt = 1;
    const iterator = new MergingIterator([good, bad]);
    const walk = () => {
      for (iterator.seekToFirst(); iterator.valid(); iterator.next());
    };
    expect(walk).toThrow('cannot read');
    bad.failAt = 0;
    expect(() => iterator.seekToFirst()).toThrow('cannot read');
    expect(() => iterator.valid()).toThrow('cannot read');
  });
});
