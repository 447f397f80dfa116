/** Jobs over tables on a disk, for the tests of compactor and runners. */
import type { CompactJob, FlushJob, Job, TableInput, TableOutput } from '../../src/compaction/job.ts';
import { tableFileName } from '../../src/file-names.ts';
import type { FileSystem } from '../../src/file-system/file-system.ts';
import { userKeyOf, kindAt, sequenceAt } from '../../src/internal-key.ts';
import { ArenaPool } from '../../src/memtable/arena-pool.ts';
import { EMPTY_ARENA_BYTES, Memtable } from '../../src/memtable/memtable.ts';
import { createReadCounters } from '../../src/sstable/read-counters.ts';
import { TableReader } from '../../src/sstable/table-reader.ts';
import { TableWriter } from '../../src/sstable/table-writer.ts';
import { type Entry, readForward, SALT, WRITER } from '../sstable/table-fixtures.ts';

export const DIRECTORY = '/db';

export function jobBase(directory = DIRECTORY, outputs = 20) {
  return {
    id: 1,
    directory,
    output: { codec: 'snappy', blockSizeBytes: 128, bloomBitsPerKey: 10, tableSizeBytes: 600 },
    snapshots: [] as readonly number[],
    mergeOperatorName: undefined,
    outputs: Array.from({ length: outputs }, (_, i) => ({ fileNumber: 101 + i, salt: [i, 7] as const })),
  } satisfies Partial<Job>;
}

export function compactJob(runs: CompactJob['runs'], change: Partial<CompactJob> = {}): CompactJob {
  return { ...jobBase(), type: 'compact', runs, bottommost: false, ...change };
}

/** Writes input table `number`. */
export function inputTable(
  fileSystem: FileSystem,
  number: number,
  entries: readonly Entry[],
  directory = DIRECTORY,
): TableInput {
  const file = fileSystem.open(`${directory}/${tableFileName(number)}`, 'create');
  const writer = new TableWriter(file, WRITER);
  for (const { key, value } of entries) writer.add(key, value);
  const { sizeBytes } = writer.finish();
  file.close();
  return { fileNumber: number, sizeBytes, salt: SALT };
}

export function outputEntries(fileSystem: FileSystem, table: TableOutput, directory = DIRECTORY): Entry[] {
  const path = `${directory}/${tableFileName(table.fileNumber)}`;
  const reader = TableReader.openSync({
    fileSystem,
    path,
    sizeBytes: table.sizeBytes,
    salt: table.salt,
    counters: createReadCounters(),
  });
  const entries = readForward(reader.iterator());
  reader.close();
  return entries;
}

export function flushJob(entries: readonly Entry[], change: Partial<FlushJob> = {}): FlushJob {
  const arena = new ArenaPool(64 * 1024, 1).take();
  const memtable = new Memtable(arena, EMPTY_ARENA_BYTES, 1);
  for (const { key, value } of entries) {
    const source = Buffer.concat([userKeyOf(key), value]);
    const keyLength = key.length - 8;
    memtable.add(
      source,
      span(0, keyLength),
      span(keyLength, source.length - keyLength),
      sequenceAt(key, key.length),
      kindAt(key, key.length),
    );
  }
  return { ...jobBase(), type: 'flush', arena, arenaBytes: memtable.bytesUsed, ...change };
}

function span(start: number, length: number) {
  return { start, length };
}
