import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KIND_SEEK, sequenceAt, SEQUENCE_MAX } from '../../src/internal-key.ts';
import { compareKeys } from '../../src/key-order.ts';
import { separatorKey } from '../../src/sstable/index-builder.ts';
import { TableWriter } from '../../src/sstable/table-writer.ts';
import { entry, memoryDisk, openTable, readForward, sortedEntries, WRITER, writeTable } from './table-fixtures.ts';

describe('a table writer', () => {
  test('refuses entries out of order, and the same key twice', () => {
    const refused = expect.objectContaining({ code: 'LSM_CORRUPTION', kind: 'order' });
    for (const second of [entry('a', 5), entry('b', 3), entry('b', 4)]) {
      const writer = new TableWriter(memoryDisk().open('/db/1', 'create'), WRITER);
      const first = entry('b', 3);
      writer.add(first.key, first.value);
      const add = () => writer.add(second.key, second.value);
      if (compareKeys(first.key, second.key) < 0) add();
      else expect(add).toThrow(refused);
    }
  });

  test('needs an entry', () => {
    const writer = new TableWriter(memoryDisk().open('/db/1', 'create'), WRITER);
    expect(() => writer.finish()).toThrow(RangeError);
  });

  test('writes values larger than all of its buffers, and keys as long', () => {
    const disk = memoryDisk();
    const key = Buffer.alloc(70_000, 7);
    const entries = [
      entry('a', 1, 'x'.repeat(1_000_000)),
      entry('b', 1, ''),
      { key: Buffer.concat([Buffer.from('c'), key, entry('', 1).key]), value: Buffer.alloc(300_000, 1) },
    ];
    writeTable(disk, entries, { codec: 'none' });
    expect(readForward(openTable(disk).iterator())).toEqual(entries);
  });
});

describe('the key between two blocks', () => {
  test('is at or behind the last of one and before the first of the next, and no longer', () => {
    fc.assert(
      fc.property(sortedEntries, (entries) => {
        for (let i = 1; i < entries.length; i++) {
          const [last, next] = [entries[i - 1]!.key, entries[i]!.key];
          const separator = separatorKey(last, next);
          expect(compareKeys(last, separator)).toBeLessThanOrEqual(0);
          expect(compareKeys(separator, next)).toBeLessThan(0);
          expect(separator.length).toBeLessThanOrEqual(last.length);
        }
      }),
    );
  });

  test('is cut to the first byte that differs', () => {
    const separator = separatorKey(entry('common-abcdef', 3).key, entry('common-xyz', 9).key);
    expect(separator.subarray(0, -8).toString()).toBe('common-x');
    expect(sequenceAt(separator, separator.length)).toBe(SEQUENCE_MAX);
    expect(separator.at(-1)).toBe(KIND_SEEK);
  });
});
