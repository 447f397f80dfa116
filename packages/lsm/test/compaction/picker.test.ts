import { describe, expect, it } from 'vitest';
import { compactionDebtBytes, levelTargetBytes, pickCompaction } from '../../src/compaction/picker.ts';
import { KIND_PUT, makeInternalKey } from '../../src/internal-key.ts';
import { type TableMeta, Version } from '../../src/version/version.ts';

const OPTIONS = { level0CompactionTables: 2, level1SizeBytes: 1000, levelSizeRatio: 10 };
const NO_POINTERS = Array.from({ length: 7 }, () => undefined);

function table(number: number, from: string, to: string, sizeBytes = 400): TableMeta {
  return {
    number,
    sizeBytes,
    salt: [0, 0],
    smallest: makeInternalKey(Buffer.from(from), number, KIND_PUT),
    largest: makeInternalKey(Buffer.from(to), number, KIND_PUT),
    smallestSequence: number,
    largestSequence: number,
    globalSequence: 0,
    entries: 1,
    checksum: 0,
    properties: new Map(),
  };
}

function versionOf(levels: Record<number, TableMeta[]>): Version {
  const added = Object.entries(levels).flatMap(([level, tables]) =>
    tables.map((one) => ({ level: Number(level), table: one })),
  );
  return Version.empty.apply(added, []);
}

const numbers = (tables: readonly TableMeta[]) => tables.map(({ number }) => number);

describe('the compaction picker', () => {
  it('leaves levels within their bounds alone', () => {
    const version = versionOf({ 0: [table(9, 'a', 'z')], 1: [table(1, 'a', 'c'), table(2, 'd', 'f')] });
    expect(pickCompaction(version, NO_POINTERS, OPTIONS)).toBeUndefined();
    expect(levelTargetBytes(3, OPTIONS)).toBe(100_000);
    expect(compactionDebtBytes(version, OPTIONS)).toBe(0);
  });

  it('takes all of level 0, newest first, with what overlaps below', () => {
    const version = versionOf({
      0: [table(8, 'c', 'e'), table(9, 'd', 'k')],
      1: [table(1, 'a', 'b'), table(2, 'd', 'f'), table(3, 'x', 'z', 100)],
    });
    const plan = pickCompaction(version, NO_POINTERS, OPTIONS);
    expect(plan?.runs.map(numbers)).toEqual([[9], [8], [2]]);
    expect(plan).toMatchObject({ level: 0, outputLevel: 1, bottommost: true, isMove: false });
  });

  it('is not bottommost when any deeper level overlaps what goes in, the lower inputs included', () => {
    const levels = { 0: [table(8, 'c', 'd'), table(9, 'c', 'd')], 1: [table(2, 'd', 'k')] };
    expect(pickCompaction(versionOf(levels), NO_POINTERS, OPTIONS)?.bottommost).toBe(true);
    const deeper = { ...levels, 4: [table(1, 'j', 'j')] };
    expect(pickCompaction(versionOf(deeper), NO_POINTERS, OPTIONS)?.bottommost).toBe(false);
  });

  it('goes round a level, from where it left off', () => {
    const version = versionOf({
      1: [table(1, 'a', 'c'), table(2, 'd', 'f'), table(3, 'g', 'i')],
      2: [table(4, 'a', 'z')],
    });
    const pointer = (key: Buffer | undefined) => NO_POINTERS.map((_, level) => (level === 1 ? key : undefined));
    expect(numbers(pickCompaction(version, NO_POINTERS, OPTIONS)?.upper ?? [])).toEqual([1]);
    expect(numbers(pickCompaction(version, pointer(table(1, 'a', 'c').largest), OPTIONS)?.upper ?? [])).toEqual([2]);
    expect(numbers(pickCompaction(version, pointer(table(3, 'g', 'i').largest), OPTIONS)?.upper ?? [])).toEqual([1]);
  });

  it('moves a table that nothing below overlaps', () => {
    const version = versionOf({ 1: [table(1, 'a', 'c', 2000)], 2: [table(4, 'd', 'z')] });
    expect(pickCompaction(version, NO_POINTERS, OPTIONS)).toMatchObject({ isMove: true, level: 1, outputLevel: 2 });
  });

  it('starts with the level that is furthest over its bound', () => {
    const version = versionOf({ 0: [table(8, 'a', 'b'), table(9, 'a', 'b')], 1: [table(1, 'a', 'c', 5000)] });
    expect(pickCompaction(version, NO_POINTERS, OPTIONS)?.level).toBe(1);
  });
});
