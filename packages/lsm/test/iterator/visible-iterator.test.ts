import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND_DELETE, KIND_MERGE, KIND_PUT } from '../../src/internal-key.ts';
import { VisibleIterator } from '../../src/iterator/visible-iterator.ts';
import { ArenaPool } from '../../src/memtable/arena-pool.ts';
import { EMPTY_ARENA_BYTES, Memtable } from '../../src/memtable/memtable.ts';

const pool = new ArenaPool(1 << 16, 1);
const key = fc.constantFrom('a', 'aa', 'ab', 'b', 'c', 'c\0', 'd');
const entries = fc.array(
  fc.record({ key, kind: fc.constantFrom(KIND_PUT, KIND_DELETE, KIND_MERGE), value: fc.constantFrom('1', '2', '3') }),
  { maxLength: 40 },
);
const bound = fc.option(fc.constantFrom('', 'a', 'ab', 'b', 'bb', 'c', 'z'), { nil: undefined });
const bounds = fc.record({ gte: bound, gt: bound, lte: bound, lt: bound });

/** Operands are joined behind the base: the order shows. */
const resolve = (base: Buffer | undefined, operands: readonly Buffer[]) =>
  Buffer.from([base ?? '', ...operands.toReversed()].join(''));

function modelOf(list: readonly { key: string; kind: number; value: string }[], sequence: number): Map<string, string> {
  const model = new Map<string, string>();
  for (const { key: name, kind, value } of list.slice(0, sequence)) {
    if (kind === KIND_DELETE) model.delete(name);
    else model.set(name, kind === KIND_MERGE ? (model.get(name) ?? '') + value : value);
  }
  return model;
}

describe('the visible entries', () => {
  it('are those of a sorted map at the sequence, in both directions, within bounds, from any seek', () => {
    fc.assert(
      fc.property(
        entries,
        fc.nat(45),
        bounds,
        fc.boolean(),
        fc.option(key, { nil: undefined }),
        (list, sequence, range, reverse, from) => {
          const arena = pool.take();
          const memtable = new Memtable(arena, EMPTY_ARENA_BYTES, 3);
          list.forEach(({ key: name, kind, value }, i) => {
            const source = Buffer.from(name + value);
            memtable.add(
              source,
              { start: 0, length: name.length },
              { start: name.length, length: kind === KIND_DELETE ? 0 : value.length },
              i + 1,
              kind,
            );
          });
          const within = ([name]: [string, string]) =>
            (range.gte === undefined || name >= range.gte) &&
            (range.gt === undefined || name > range.gt) &&
            (range.lte === undefined || name <= range.lte) &&
            (range.lt === undefined || name < range.lt) &&
            (from === undefined || (reverse ? name <= from : name >= from));
          const expected = [...modelOf(list, sequence)].filter(within).sort(([a], [b]) => (a < b ? -1 : 1));
          if (reverse) expected.reverse();
          const asBuffers = Object.fromEntries(
            Object.entries(range).map(([name, text]) => [name, text === undefined ? undefined : Buffer.from(text)]),
          );
          const walk = new VisibleIterator(memtable.iterator(), { ...asBuffers, sequence, reverse, resolve });
          const found: [string, string][] = [];
          let more = from === undefined ? walk.seekToStart() : walk.seek(Buffer.from(from));
          for (; more; more = walk.next()) found.push([walk.key.toString(), walk.value.toString()]);
          expect(found).toEqual(expected);
          pool.give(arena);
        },
      ),
      { numRuns: 600 },
    );
  });
});
