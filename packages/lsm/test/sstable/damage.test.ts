/**
 * Goal: no byte of a table can change without an error or the same answers as before. Method: flip bits of every byte of
 * small tables, one at a time, then open, scan both ways and read every key.
 */
import { describe, expect, test } from 'vitest';
import { LsmError } from '../../src/errors.ts';
import { SEQUENCE_MAX, userKeyOf } from '../../src/internal-key.ts';
import { createReadCounters } from '../../src/sstable/read-counters.ts';
import type { TableWriterOptions } from '../../src/sstable/table-writer.ts';
import {
  type Entry,
  entry,
  fileBytes,
  lookupOf,
  memoryDisk,
  openTable,
  putFile,
  readBackward,
  readForward,
  writeTable,
} from './table-fixtures.ts';

const ENTRIES = Array.from({ length: 24 }, (_, i) =>
  entry(`key-${String(i).padStart(2, '0')}`, i + 1, `value ${i} `.repeat(3)),
);

interface Answers {
  readonly forward: readonly Entry[];
  readonly backward: readonly Entry[];
  readonly values: readonly (string | undefined)[];
}

function answersOf(disk: ReturnType<typeof memoryDisk>, sizeBytes: number, counters = createReadCounters()): Answers {
  const reader = openTable(disk, { sizeBytes, counters });
  const values = [...ENTRIES.map(({ key }) => userKeyOf(key)), Buffer.from('missing')].map((userKey) => {
    const lookup = lookupOf(userKey, SEQUENCE_MAX);
    reader.find(lookup);
    return lookup.value?.toString();
  });
  return { forward: readForward(reader.iterator()), backward: readBackward(reader.iterator()), values };
}

/** 'refused' with the right error, or what was answered. */
function verdict(disk: ReturnType<typeof memoryDisk>, sizeBytes: number): Answers | 'refused' {
  try {
    return answersOf(disk, sizeBytes);
  } catch (error) {
    expect(error).toBeInstanceOf(LsmError);
    expect(['LSM_CORRUPTION', 'LSM_INCOMPATIBLE_FORMAT']).toContain((error as LsmError).code);
    return 'refused';
  }
}

const TABLES: Readonly<Record<string, Partial<TableWriterOptions>>> = {
  'uncompressed, one index level': { codec: 'none', blockSizeBytes: 200 },
  'compressed, two index levels': { codec: 'snappy', blockSizeBytes: 150, indexBlockSizeBytes: 64 },
};

describe.each(Object.entries(TABLES))('a table: %s', (_, options) => {
  const disk = memoryDisk();
  writeTable(disk, ENTRIES, options);
  const bytes = fileBytes(disk);
  const whole = answersOf(disk, bytes.length);

  test('any flipped bit is an error or changes no answer', () => {
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [1 << (at % 8), 0xff]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ mask;
        putFile(disk, damaged);
        const answers = verdict(disk, bytes.length);
        if (answers === 'refused') refused++;
        else expect(answers, `byte ${at}`).toEqual(whole);
      }
    }
    // All but the filter block's bytes must be refused.
    const filterBytes = 8 + 5 + (ENTRIES.length * 10) / 8;
    expect(refused).toBe((bytes.length - filterBytes) * 2);
  });

  test('a table cut short or grown is refused', () => {
    for (let length = 0; length < bytes.length; length++) {
      putFile(disk, bytes.subarray(0, length));
      expect(verdict(disk, bytes.length)).toBe('refused');
      expect(verdict(disk, length), `as if it had ${length} bytes`).toBe('refused');
    }
    putFile(disk, Buffer.concat([bytes, Buffer.alloc(1)]));
    expect(verdict(disk, bytes.length)).toBe('refused');
  });

  test('a damaged filter is counted and means "maybe"', () => {
    const counters = createReadCounters();
    const damaged = Buffer.from(bytes);
    const filterAt = Number(bytes.readBigUInt64LE(bytes.length - 80 + 20));
    damaged.fill(0, filterAt + 8, filterAt + 16);
    putFile(disk, damaged);
    expect(answersOf(disk, bytes.length, counters)).toEqual(whole);
    expect(counters.filtersDamaged).toBe(1);
  });
});
