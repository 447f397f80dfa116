import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KIND_DELETE } from '../../src/internal-key.ts';
import { entry, fileBytes, memoryDisk, openTable, putFile, readForward, writeTable } from './table-fixtures.ts';

const SALT = [0x01020304, 0x0a0b0c0d] as const;
const ENTRIES = [entry('apple', 7, 'red'), entry('apricot', 9, '', KIND_DELETE)];

function example(): Buffer {
  const page = readFileSync(new URL('../../../../docs/formats.md', import.meta.url), 'utf8');
  const hex = /```hex table\n([^`]*)```/.exec(page)?.[1] ?? '';
  return Buffer.from(hex.replace(/\s/g, ''), 'hex');
}

test('the table in docs/formats.md is read as the page says', () => {
  const disk = memoryDisk();
  putFile(disk, example());
  const reader = openTable(disk, { salt: SALT });
  expect(readForward(reader.iterator())).toEqual(ENTRIES);
  expect(reader.properties).toMatchObject({
    entries: 2,
    deletes: 1,
    merges: 0,
    dataBlocks: 1,
    smallestSequence: 7,
    largestSequence: 9,
  });
  expect(Object.fromEntries([...reader.properties.bag].map(([name, value]) => [name, value.length]))).toMatchObject({
    'kvd.key-bytes': 8,
  });
});

test('and those entries are written as these bytes', () => {
  const disk = memoryDisk();
  writeTable(disk, ENTRIES, { codec: 'snappy', blockSizeBytes: 4096, salt: SALT });
  expect(fileBytes(disk).toString('hex')).toBe(example().toString('hex'));
});
