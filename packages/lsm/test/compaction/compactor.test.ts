import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/checksum.ts';
import { runJob } from '../../src/compaction/compactor.ts';
import type { Job } from '../../src/compaction/job.ts';
import type { MemoryFileSystem } from '../../src/file-system/memory-file-system.ts';
import { KIND_DELETE, KIND_MERGE, kindAt, sequenceAt, userKeyOf } from '../../src/internal-key.ts';
import { blockChecksum, decodeFooter, FOOTER_BYTES, saltChecksum } from '../../src/sstable/format.ts';
import {
  type Entry,
  entry,
  fileBytes,
  memoryDisk,
  putFile,
  sortedEntries,
  sortEntries,
} from '../sstable/table-fixtures.ts';
import { compactJob, DIRECTORY, flushJob, inputTable, jobBase, outputEntries } from './job-fixtures.ts';

const run = (disk: MemoryFileSystem, job: Job) => runJob(job, { fileSystem: disk, threadId: 0 });

/** The newest entry of each user key, as a plain filter. */
function newestOf(entries: readonly Entry[], keepDeletes: boolean): Entry[] {
  const newest = entries.filter(({ key }, i) => i === 0 || !userKeyOf(key).equals(userKeyOf(entries[i - 1]!.key)));
  return keepDeletes ? newest : newest.filter(({ key }) => kindAt(key, key.length) !== KIND_DELETE);
}

const value = (i: number) => `value ${i} `.repeat(4);
const keys = (from: number, to: number, sequence: number) =>
  Array.from({ length: to - from }, (_, i) =>
    entry(`key-${String(from + i).padStart(4, '0')}`, sequence + i, value(from + i)),
  );

describe('a flush', () => {
  test('writes one table of what readers can see, whatever its size', () => {
    fc.assert(
      fc.property(sortedEntries, (entries) => {
        const disk = memoryDisk();
        const job = flushJob(entries);
        const result = run(disk, job);
        expect(result.tables).toHaveLength(1);
        const [table] = result.tables;
        expect(outputEntries(disk, table!)).toEqual(newestOf(entries, true));
        expect(result.entriesIn).toBe(entries.length);
        expect(table!.entries + result.entriesDropped + result.entriesFolded).toBe(entries.length);
      }),
      { numRuns: 30 },
    );
  });

  test('describes its table as it is on disk, synced, under a synced name', () => {
    const disk = memoryDisk();
    const entries = keys(0, 100, 50);
    const [table] = run(disk, flushJob(entries)).tables;
    disk.crash({ mode: 'drop-all', random: () => 0 });
    const bytes = fileBytes(disk, `${DIRECTORY}/000101.sst`);
    expect(table).toMatchObject({
      fileNumber: 101,
      salt: [0, 7],
      sizeBytes: bytes.length,
      entries: 100,
      smallest: entries[0]!.key,
      largest: entries[99]!.key,
      smallestSequence: 50,
      largestSequence: 149,
      checksum: crc32(bytes),
    });
  });
});

describe('a compaction', () => {
  test('of any entries spread over runs is the newest of each key, cut between keys', () => {
    fc.assert(
      fc.property(
        sortedEntries,
        fc.array(fc.nat(3), { minLength: 120, maxLength: 120 }),
        fc.boolean(),
        (entries, placement, bottommost) => {
          const disk = memoryDisk();
          const runs = [0, 1, 2, 3]
            .map((age) => entries.filter((_, i) => placement[i] === age))
            .filter((list) => list.length > 0);
          const job = compactJob(
            runs.map((list, i) => [inputTable(disk, i + 1, list)]),
            { bottommost },
          );
          const result = run(disk, job);
          expect(result.tables.flatMap((table) => outputEntries(disk, table))).toEqual(newestOf(entries, !bottommost));
          expect(result.entriesIn).toBe(entries.length);
          expect(disk.openFiles).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('merges runs of several tables, and counts what it reads and writes', () => {
    const disk = memoryDisk();
    const older = [inputTable(disk, 1, keys(0, 100, 1)), inputTable(disk, 2, keys(100, 200, 101))];
    const newer = [inputTable(disk, 3, keys(50, 150, 1000))];
    const result = run(disk, compactJob([newer, older]));
    const expected = sortEntries([...keys(50, 150, 1000), ...keys(0, 50, 1), ...keys(150, 200, 151)]);
    expect(result.tables.length).toBeGreaterThan(3);
    expect(result.tables.flatMap((table) => outputEntries(disk, table))).toEqual(expected);
    expect(result).toMatchObject({ entriesIn: 300, entriesDropped: 100, entriesFolded: 0, threadId: 0 });
    expect(result.bytesWritten).toBe(
      result.tables.reduce((sum, table) => sum + disk.size(`${DIRECTORY}/000${table.fileNumber}.sst`)!, 0),
    );
    expect(result.bytesRead).toBeGreaterThan(1000);
  });

  test('never parts the versions of one key', () => {
    const disk = memoryDisk();
    const many = Array.from({ length: 60 }, (_, i) => entry('same', 1000 - i, `${i} `.repeat(30)));
    const snapshots = Array.from({ length: 60 }, (_, i) => 941 + i);
    const input = inputTable(disk, 1, [...keys(0, 20, 1), ...many, ...keys(20, 20, 1)]);
    const result = run(disk, compactJob([[input]], { snapshots }));
    const holders = result.tables.filter((table) =>
      outputEntries(disk, table).some(({ key }) => userKeyOf(key).toString() === 'same'),
    );
    expect(holders).toHaveLength(1);
    expect(outputEntries(disk, holders[0]!).filter(({ key }) => userKeyOf(key).toString() === 'same')).toHaveLength(60);
  });

  test('keeps for snapshots what they see', () => {
    const disk = memoryDisk();
    const entries = [entry('k', 30), entry('k', 20, '', KIND_DELETE), entry('k', 12), entry('k', 10), entry('k', 5)];
    const result = run(disk, compactJob([[inputTable(disk, 1, entries)]], { snapshots: [11, 25], bottommost: true }));
    expect(outputEntries(disk, result.tables[0]!).map(({ key }) => sequenceAt(key, key.length))).toEqual([30, 20, 10]);
  });

  test('folds operands by the operator of its name', () => {
    const disk = memoryDisk();
    const operand = (sequence: number, amount: number) => ({
      key: entry('n', sequence, '', KIND_MERGE).key,
      value: Buffer.from([amount, 0, 0, 0]),
    });
    const runs = [[inputTable(disk, 1, [operand(3, 5)])], [inputTable(disk, 2, [operand(2, 6)])]];
    const result = run(disk, compactJob(runs, { mergeOperatorName: 'uint32-add', bottommost: true }));
    expect(result).toMatchObject({ entriesIn: 2, entriesFolded: 1 });
    expect(outputEntries(disk, result.tables[0]!)).toEqual([
      { key: entry('n', 3).key, value: Buffer.from([11, 0, 0, 0]) },
    ]);
  });

  test('of which nothing stays writes no table', () => {
    const disk = memoryDisk();
    const input = inputTable(disk, 1, [entry('k', 2, '', KIND_DELETE), entry('k', 1)]);
    expect(run(disk, compactJob([[input]], { bottommost: true }))).toMatchObject({
      tables: [],
      entriesIn: 2,
      entriesDropped: 2,
    });
  });
});

describe('a job that fails', () => {
  const inputs = () => {
    const disk = memoryDisk();
    return { disk, job: compactJob([[inputTable(disk, 1, keys(0, 100, 1)), inputTable(disk, 2, keys(100, 200, 1))]]) };
  };

  test('at any call to the disk says so, leaves no output, closes all files, and succeeds when tried again', () => {
    const { disk, job } = inputs();
    const calls: string[] = [];
    disk.onCall = ({ operation }) => void calls.push(operation);
    run(disk, job);
    disk.onCall = undefined;
    const names = ['000001.sst', '000002.sst'];
    for (let failing = 0; failing < calls.length; failing++) {
      for (const name of disk.readdir(DIRECTORY)) if (!names.includes(name)) disk.unlink(`${DIRECTORY}/${name}`);
      if (calls[failing] === 'size' || calls[failing] === 'close') continue;
      let call = 0;
      disk.onCall = () => (call++ === failing ? Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) : undefined);
      expect(() => run(disk, job), `call ${failing}: ${calls[failing]}`).toThrow(
        expect.objectContaining({ code: 'LSM_NO_SPACE' }),
      );
      expect(call).toBeGreaterThan(failing);
      disk.onCall = undefined;
      expect(disk.readdir(DIRECTORY)).toEqual(names);
      expect(disk.openFiles).toBe(0);
    }
    expect(run(disk, job).entriesIn).toBe(200);
  });

  test('because a table is damaged, missing or short says which', () => {
    const { disk, job } = inputs();
    const bytes = fileBytes(disk, '/db/000002.sst');
    const file = disk.open('/db/000002.sst', 'read-write');
    file.write(Buffer.from([(bytes[300] as number) ^ 1]), 300);
    file.close();
    expect(() => run(disk, job)).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION', file: '/db/000002.sst' }));
    expect(disk.readdir(DIRECTORY)).toEqual(['000001.sst', '000002.sst']);
    disk.unlink('/db/000002.sst');
    expect(() => run(disk, job)).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION', kind: 'missing' }));
    expect(disk.openFiles).toBe(0);
  });

  test('because a table holds another number of entries than it says', () => {
    const { disk, job } = inputs();
    const bytes = fileBytes(disk, '/db/000001.sst');
    const { properties, salt } = decodeFooter(bytes.subarray(-FOOTER_BYTES), 'f');
    const end = properties.offset + properties.length;
    const at = bytes.indexOf('kvd.entries') + 'kvd.entries'.length + 1;
    bytes.writeUInt32LE(101, at);
    bytes.writeUInt32LE(
      blockChecksum(saltChecksum(salt), properties.offset, bytes.subarray(properties.offset, end + 1)),
      end + 1,
    );
    putFile(disk, bytes, '/db/000001.sst');
    expect(() => run(disk, job)).toThrow(/read 200 entries of tables that hold 201/);
  });

  test('for want of file numbers leaves none of its tables', () => {
    const { disk, job } = inputs();
    expect(() => run(disk, { ...job, outputs: jobBase(DIRECTORY, 2).outputs })).toThrow(
      expect.objectContaining({ code: 'LSM_COMPACTION' }),
    );
    expect(disk.readdir(DIRECTORY)).toEqual(['000001.sst', '000002.sst']);
  });

  test('over a merge operator says whose fault it is', () => {
    const { disk, job } = inputs();
    expect(() => run(disk, { ...job, mergeOperatorName: 'unheard-of' })).toThrow(
      expect.objectContaining({ code: 'LSM_OPTIONS' }),
    );
    const uneven = [entry('n', 3, 'four', KIND_MERGE), entry('n', 2, 'seven..', KIND_MERGE)];
    const bad = compactJob([[inputTable(disk, 3, uneven)]], { mergeOperatorName: 'uint32-add' });
    expect(() => run(disk, bad)).toThrow(expect.objectContaining({ code: 'LSM_COMPACTION' }));
  });
});
