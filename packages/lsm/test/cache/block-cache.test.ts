import { describe, expect, test } from 'vitest';
import { BlockCache } from '../../src/cache/block-cache.ts';
import { BlockBuilder } from '../../src/sstable/block-builder.ts';
import { Block } from '../../src/sstable/block.ts';
import { entry } from '../sstable/table-fixtures.ts';

function blockOf(valueBytes: number): Block {
  const builder = new BlockBuilder(16);
  const { key, value } = entry('k', 1, 'v'.repeat(valueBytes));
  builder.add(key, value);
  return new Block(Buffer.from(builder.finish()));
}

describe('the block cache', () => {
  test('keeps the blocks of tables apart, and never holds more than its capacity', () => {
    const cache = new BlockCache(4000);
    const [first, second] = [cache.table(), cache.table()];
    const block = blockOf(700);
    first.put(0, block);
    expect(second.get(0)).toBeUndefined();
    expect(first.get(0)).toBe(block);
    for (let i = 0; i < 20; i++) {
      second.put(i * 1000, blockOf(700));
      expect(first.get(0), 'used at each step').toBe(block);
      expect(cache.sizeBytes).toBeLessThanOrEqual(4000);
    }
    expect(second.get(0)).toBeUndefined();
    expect(second.get(19_000)).toBeDefined();
  });

  test('gives up all blocks of a table at once', () => {
    const cache = new BlockCache(10_000);
    const table = cache.table();
    table.put(0, blockOf(100));
    table.put(500, blockOf(100));
    table.clear();
    expect(table.get(0)).toBeUndefined();
    expect(cache.sizeBytes).toBe(0);
  });

  test('keeps no block that is larger than itself, and none at all at capacity 0', () => {
    const cache = new BlockCache(1000);
    const table = cache.table();
    table.put(0, blockOf(100));
    table.put(1, blockOf(2000));
    expect(table.get(1)).toBeUndefined();
    expect(table.get(0)).toBeDefined();
    const none = new BlockCache(0).table();
    none.put(0, blockOf(1));
    expect(none.get(0)).toBeUndefined();
  });
});
