import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockCache } from '../../src/cache/block-cache.ts';
import {
  KIND_DELETE,
  KIND_MERGE,
  kindAt,
  makeInternalKey,
  SEQUENCE_MAX,
  sequenceAt,
  userKeyOf,
} from '../../src/internal-key.ts';
import { compareKeys } from '../../src/key-order.ts';
import { createReadCounters } from '../../src/sstable/read-counters.ts';
import {
  copyEntry,
  type Entry,
  entry,
  fileBytes,
  lookupOf,
  memoryDisk,
  openTable,
  putFile,
  readBackward,
  readForward,
  sortedEntries,
  writerOptions,
  writeTable,
} from './table-fixtures.ts';

function corrupt(kind?: string) {
  return expect.objectContaining({ code: 'LSM_CORRUPTION', ...(kind === undefined ? {} : { kind }) });
}

/** The entry that a read of `userKey` at `sequence` must meet, by looking at all. */
function newestVisible(entries: readonly Entry[], userKey: Buffer, sequence: number): Entry | undefined {
  return entries.find(({ key }) => userKeyOf(key).equals(userKey) && sequenceAt(key, key.length) <= sequence);
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, i) => entry(`key-${String(i).padStart(5, '0')}`, i + 1, `value ${i}`));

describe('a table of any entries, block sizes and codecs', () => {
  test('reads back forward and backward', () => {
    fc.assert(
      fc.property(sortedEntries, writerOptions, (entries, options) => {
        const disk = memoryDisk();
        const summary = writeTable(disk, entries, options);
        const reader = openTable(disk);
        expect(readForward(reader.iterator())).toEqual(entries);
        expect(readBackward(reader.iterator())).toEqual([...entries].reverse());
        expect(summary).toMatchObject({
          entries: entries.length,
          smallest: entries[0]?.key,
          largest: entries.at(-1)?.key,
        });
        expect(reader.properties).toMatchObject({
          entries: entries.length,
          smallest: entries[0]?.key,
          largest: entries.at(-1)?.key,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('finds of each key what a sequence may see, and nothing of absent keys', () => {
    fc.assert(
      fc.property(
        sortedEntries,
        writerOptions,
        fc.array(fc.uint8Array({ maxLength: 6 })),
        (entries, options, others) => {
          const disk = memoryDisk();
          writeTable(disk, entries, options);
          const reader = openTable(disk);
          const probes = [
            ...entries.flatMap(({ key }) => {
              const sequence = sequenceAt(key, key.length);
              return [
                [userKeyOf(key), sequence],
                [userKeyOf(key), Math.max(0, sequence - 1)],
                [userKeyOf(key), SEQUENCE_MAX],
              ] as const;
            }),
            ...others.map((key) => [Buffer.from(key), SEQUENCE_MAX] as const),
          ];
          for (const [userKey, sequence] of probes) {
            const lookup = lookupOf(userKey, sequence);
            const expected = newestVisible(entries, userKey, sequence);
            expect(reader.find(lookup)).toBe(expected !== undefined);
            const value =
              expected !== undefined && kindAt(expected.key, expected.key.length) !== KIND_DELETE
                ? expected.value
                : undefined;
            expect(lookup.value).toEqual(value);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('seeks to the first entry at or behind any key, and walks both ways from there', () => {
    const steps = fc.array(
      fc.oneof(fc.constantFrom('next', 'prev', 'first', 'last'), fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.nat(20))),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(sortedEntries, writerOptions, steps, (entries, options, walk) => {
        const disk = memoryDisk();
        writeTable(disk, entries, options);
        const iterator = openTable(disk).iterator();
        let place = -1;
        for (const step of walk) {
          if (typeof step !== 'string') {
            const key = makeInternalKey(step[0], step[1], 1);
            iterator.seek(key);
            place = entries.findIndex((candidate) => compareKeys(candidate.key, key) >= 0);
          } else if (step === 'first' || step === 'last') {
            if (step === 'first') iterator.seekToFirst();
            else iterator.seekToLast();
            place = step === 'first' ? 0 : entries.length - 1;
          } else if (place !== -1) {
            if (step === 'next') iterator.next();
            else iterator.prev();
            place += step === 'next' ? 1 : -1;
            if (place === entries.length) place = -1;
          }
          expect(iterator.valid()).toBe(place !== -1);
          if (place !== -1) expect(copyEntry(iterator)).toEqual(entries[place]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a point read', () => {
  test('of a missing key reads no data block', () => {
    const disk = memoryDisk();
    writeTable(disk, numbered(2000));
    const counters = createReadCounters();
    const reader = openTable(disk, { counters });
    const before = counters.blocksRead;
    let negatives = 0;
    for (let i = 0; i < 500; i++) if (!reader.find(lookupOf(Buffer.from(`missing-${i}`), SEQUENCE_MAX))) negatives++;
    expect(negatives).toBe(500);
    expect(counters.filterProbes).toBe(500);
    expect(counters.filterNegatives).toBeGreaterThan(480);
    expect(counters.blocksRead - before).toBeLessThanOrEqual(500 - counters.filterNegatives);
  });

  test('takes cached blocks from the cache', () => {
    const disk = memoryDisk();
    writeTable(disk, numbered(500), { indexBlockSizeBytes: 200 });
    const counters = createReadCounters();
    const reader = openTable(disk, { counters, blockCache: new BlockCache(1 << 20) });
    const read = () => reader.find(lookupOf(Buffer.from('key-00123'), SEQUENCE_MAX));
    expect(read()).toBe(true);
    const { blocksRead } = counters;
    expect(read()).toBe(true);
    expect(counters).toMatchObject({ blocksRead, cacheHits: 2 });
    reader.close();
    expect(read()).toBe(true);
    expect(counters.blocksRead).toBe(blocksRead + 2);
  });

  test('collects merge operands across blocks, newest first, down to the base', () => {
    const disk = memoryDisk();
    const operands = Array.from({ length: 40 }, (_, i) => entry('k', 100 - i, `operand ${i}`, KIND_MERGE));
    writeTable(disk, [...operands, entry('k', 10, 'base'), entry('k', 9, 'older')], {
      blockSizeBytes: 64,
      indexBlockSizeBytes: 64,
    });
    const lookup = lookupOf(Buffer.from('k'), 90);
    expect(openTable(disk).find(lookup)).toBe(true);
    expect(lookup.operands?.map(String)).toEqual(operands.slice(10).map(({ value }) => value.toString()));
    expect(lookup.value?.toString()).toBe('base');
  });

  test('goes on without its own copy when a walk does not fill the cache', () => {
    const disk = memoryDisk();
    writeTable(disk, numbered(500));
    const blockCache = new BlockCache(1 << 20);
    const reader = openTable(disk, { blockCache });
    readForward(reader.iterator({ fillCache: false }));
    expect(blockCache.sizeBytes).toBe(0);
    readForward(reader.iterator());
    expect(blockCache.sizeBytes).toBeGreaterThan(0);
  });
});

describe('opening refuses', () => {
  const disk = memoryDisk();
  writeTable(disk, numbered(50));
  const bytes = fileBytes(disk);

  test('a missing file, a wrong size and a file that is too short', () => {
    expect(() => openTable(disk, { path: '/db/000009.sst', sizeBytes: 10 })).toThrow(corrupt('missing'));
    expect(() => openTable(disk, { sizeBytes: bytes.length + 1 })).toThrow(corrupt('size'));
    putFile(disk, bytes.subarray(0, 40), '/db/short');
    expect(() => openTable(disk, { path: '/db/short' })).toThrow(corrupt('size'));
  });

  test('the table of another salt', () => {
    expect(() => openTable(disk, { salt: [1, 2] })).toThrow(corrupt('salt'));
  });

  test('nothing of a closed file: it is opened again', () => {
    const reader = openTable(disk);
    reader.close();
    expect(reader.isOpen).toBe(false);
    expect(readForward(reader.iterator())).toHaveLength(50);
    expect(reader.isOpen).toBe(true);
  });
});

describe('reading', () => {
  test('fails where a read fails, at that step and every later one, and never ends early', () => {
    const disk = memoryDisk();
    writeTable(disk, numbered(300), { codec: 'none' });
    const iterator = openTable(disk).iterator();
    iterator.seekToFirst();
    let reads = 0;
    disk.onCall = ({ operation }) =>
      operation === 'read' && ++reads > 3 ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined;
    const walk = () => {
      while (iterator.valid()) iterator.next();
    };
    expect(walk).toThrow(expect.objectContaining({ code: 'LSM_IO' }));
    expect(() => iterator.valid()).toThrow(expect.objectContaining({ code: 'LSM_IO' }));
    expect(() => iterator.next()).toThrow(expect.objectContaining({ code: 'LSM_IO' }));
    disk.onCall = undefined;
    iterator.seekToFirst();
    walk();
    expect(readForward(iterator)).toHaveLength(300);
  });

  test('fails at a block that stands where another belongs', () => {
    const disk = memoryDisk();
    // Blocks of equal length, uncompressed: the second is put over the first, with its own checksum.
    const entries = Array.from({ length: 200 }, (_, i) => entry(`key-${String(i).padStart(5, '0')}`, 7, 'a value'));
    writeTable(disk, entries, { codec: 'none', bloomBitsPerKey: 0 });
    const bytes = fileBytes(disk);
    const index = openTable(disk).indexCursor(false);
    index.seekToFirst();
    const first = { offset: index.offset, length: index.length };
    index.next();
    expect(index.length).toBe(first.length);
    const swapped = Buffer.from(bytes);
    bytes.copy(swapped, first.offset, index.offset, index.offset + index.length + 5);
    putFile(disk, swapped);
    expect(() => readForward(openTable(disk).iterator())).toThrow(corrupt('block'));
  });
});
