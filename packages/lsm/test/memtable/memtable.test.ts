import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterHash } from '../../src/filter.ts';
import { compareInternalKeys, KIND_DELETE, KIND_MERGE, KIND_PUT, makeInternalKey } from '../../src/internal-key.ts';
import { Lookup } from '../../src/lookup.ts';
import { ArenaPool } from '../../src/memtable/arena-pool.ts';
import {
  EMPTY_ARENA_BYTES,
  ENTRY_OVERHEAD_BYTES_MAX,
  Memtable,
  memtableIterator,
} from '../../src/memtable/memtable.ts';

const pool = new ArenaPool(1 << 20, 2);

function newMemtable(seed = 1): Memtable {
  return new Memtable(pool.take(), EMPTY_ARENA_BYTES, seed);
}

function add(memtable: Memtable, key: Buffer, sequence: number, kind: number, value: Buffer): void {
  const source = Buffer.concat([key, value]);
  memtable.add(source, { start: 0, length: key.length }, { start: key.length, length: value.length }, sequence, kind);
}

function find(memtable: Memtable, key: Buffer, sequence: number): Lookup {
  const lookup = new Lookup(key, sequence, filterHash(key));
  memtable.find(lookup);
  return lookup;
}

const keys = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc.array(fc.constantFrom(0, 1, 255), { minLength: 1, maxLength: 9 }).map((bytes) => Uint8Array.from(bytes)),
  )
  .map((bytes) => Buffer.from(bytes));
const entries = fc.array(
  fc.record({
    key: keys,
    kind: fc.constantFrom(KIND_PUT, KIND_DELETE, KIND_MERGE),
    value: fc.uint8Array({ maxLength: 20 }),
  }),
  { minLength: 1, maxLength: 200 },
);

describe('a memtable', () => {
  it('walks its entries in internal key order, both ways, as a worker does by the arena alone', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (list, seed) => {
        const memtable = newMemtable(seed);
        for (const [i, { key, kind, value }] of list.entries()) add(memtable, key, i + 1, kind, Buffer.from(value));
        const expected = list
          .map(({ key, kind, value }, i) => ({ key: makeInternalKey(key, i + 1, kind), value: Buffer.from(value) }))
          .sort((a, b) => compareInternalKeys(a.key, b.key));
        const iterator = memtableIterator(memtable.arena, memtable.bytesUsed);
        const forward = [];
        for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
          forward.push({ key: Buffer.from(iterator.key()), value: Buffer.from(iterator.value()) });
        }
        const backward = [];
        for (iterator.seekToLast(); iterator.valid(); iterator.prev()) backward.unshift(Buffer.from(iterator.key()));
        expect(forward).toEqual(expected);
        expect(backward).toEqual(expected.map(({ key }) => key));
        expect(memtable.entries).toBe(list.length);
        pool.give(memtable.arena);
      }),
      { numRuns: 60 },
    );
  });

  it('seeks to the first entry at or behind a key', () => {
    fc.assert(
      fc.property(entries, keys, fc.integer({ min: 0, max: 250 }), (list, target, sequence) => {
        const memtable = newMemtable();
        for (const [i, { key, kind, value }] of list.entries()) add(memtable, key, i + 1, kind, Buffer.from(value));
        const sought = makeInternalKey(target, sequence, KIND_PUT);
        const expected = list
          .map(({ key, kind }, i) => makeInternalKey(key, i + 1, kind))
          .filter((key) => compareInternalKeys(key, sought) >= 0)
          .sort(compareInternalKeys)[0];
        const iterator = memtable.iterator();
        iterator.seek(sought);
        expect(iterator.valid() ? Buffer.from(iterator.key()) : undefined).toEqual(expected);
        pool.give(memtable.arena);
      }),
      { numRuns: 60 },
    );
  });

  it('answers with the newest entry that the reader may see', () => {
    const memtable = newMemtable();
    const key = Buffer.from('key');
    add(memtable, key, 5, KIND_PUT, Buffer.from('old'));
    add(memtable, Buffer.from('key2'), 6, KIND_PUT, Buffer.from('other'));
    add(memtable, key, 7, KIND_PUT, Buffer.from('new'));
    add(memtable, key, 9, KIND_DELETE, Buffer.alloc(0));
    expect(find(memtable, key, 4).value).toBeUndefined();
    expect(find(memtable, key, 6).value?.toString()).toBe('old');
    expect(find(memtable, key, 8).value?.toString()).toBe('new');
    expect(find(memtable, key, 9).value).toBeUndefined();
    pool.give(memtable.arena);
  });

  it('gathers merge operands above the base value, newest first', () => {
    const memtable = newMemtable();
    const key = Buffer.from('k');
    add(memtable, key, 1, KIND_PUT, Buffer.from('base'));
    add(memtable, key, 2, KIND_MERGE, Buffer.from('a'));
    add(memtable, key, 3, KIND_MERGE, Buffer.from('b'));
    const lookup = find(memtable, key, 3);
    expect(lookup.value?.toString()).toBe('base');
    expect(lookup.operands?.map(String)).toEqual(['b', 'a']);
    pool.give(memtable.arena);
  });

  it('uses no more room for an entry than it says', () => {
    const memtable = newMemtable();
    for (let i = 1; i <= 500; i++) {
      const before = memtable.bytesUsed;
      add(memtable, Buffer.from(`k${i % 7}`), i, KIND_PUT, Buffer.from('xyz'));
      expect(memtable.bytesUsed - before).toBeLessThanOrEqual(2 + 3 + ENTRY_OVERHEAD_BYTES_MAX);
    }
    pool.give(memtable.arena);
  });

  it('starts empty in an arena that was used before', () => {
    const small = new ArenaPool(4096, 1);
    const arena = small.take();
    const first = new Memtable(arena, EMPTY_ARENA_BYTES, 1);
    add(first, Buffer.from('a'), 1, KIND_PUT, Buffer.from('1'));
    small.give(arena);
    expect(small.take()).toBe(arena);
    const second = new Memtable(arena, EMPTY_ARENA_BYTES, 1);
    expect(second.entries).toBe(0);
    expect(find(second, Buffer.from('a'), 9).value).toBeUndefined();
  });
});
