import { describe, expect, test } from 'vitest';
import { TableCache } from '../../src/cache/table-cache.ts';
import { tableFileName } from '../../src/file-names.ts';
import { createReadCounters } from '../../src/sstable/read-counters.ts';
import { entry, lookupOf, memoryDisk, readForward, SALT, writeTable } from '../sstable/table-fixtures.ts';

function tables(count: number, openTablesMax: number) {
  const disk = memoryDisk();
  const list = Array.from({ length: count }, (_, i) => {
    const entries = Array.from({ length: 100 }, (_, j) =>
      entry(`key-${String(j).padStart(3, '0')}`, i * 1000 + j + 1, `of table ${i}`),
    );
    const { sizeBytes } = writeTable(disk, entries, { blockSizeBytes: 128 }, `/db/${tableFileName(i + 1)}`);
    return { number: i + 1, sizeBytes, salt: SALT };
  });
  const cache = new TableCache({ fileSystem: disk, directory: '/db', counters: createReadCounters() }, openTablesMax);
  return { disk, list, cache };
}

describe('the table cache', () => {
  test('never holds more files open than it may', () => {
    const { disk, list, cache } = tables(6, 3);
    for (const table of [...list, ...list]) {
      const lookup = lookupOf(Buffer.from('key-050'), 1e6);
      expect(cache.get(table).find(lookup)).toBe(true);
      expect(lookup.value?.toString()).toBe(`of table ${table.number - 1}`);
      expect(disk.openFiles).toBeLessThanOrEqual(3);
    }
    cache.close();
    expect(disk.openFiles).toBe(0);
  });

  test('gives the same reader while a table stays open', () => {
    const { list, cache } = tables(2, 2);
    const reader = cache.get(list[0]!);
    cache.get(list[1]!);
    expect(cache.get(list[0]!)).toBe(reader);
  });

  test('lets an iterator go on over a table that was driven out, within the bound', () => {
    const { disk, list, cache } = tables(4, 2);
    const iterator = cache.get(list[0]!).iterator();
    iterator.seekToFirst();
    let entries = 0;
    for (; iterator.valid(); iterator.next()) {
      cache.get(list[1 + (entries++ % 3)]!);
      expect(disk.openFiles).toBeLessThanOrEqual(2);
      expect(cache.openCount).toBe(disk.openFiles);
    }
    expect(entries).toBe(100);
    cache.close();
    expect(disk.openFiles).toBe(0);
  });

  test('keeps nothing of a table that could not be opened', () => {
    const { disk, list, cache } = tables(1, 2);
    const wrong = { ...list[0]!, salt: [9, 9] as const };
    expect(() => cache.get(wrong)).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION', kind: 'salt' }));
    expect(disk.openFiles).toBe(0);
    expect(readForward(cache.get(list[0]!).iterator())).toHaveLength(100);
  });

  test('closes a table that is removed', () => {
    const { disk, list, cache } = tables(1, 2);
    cache.get(list[0]!);
    cache.remove(1);
    cache.remove(1);
    expect(disk.openFiles).toBe(0);
  });
});
