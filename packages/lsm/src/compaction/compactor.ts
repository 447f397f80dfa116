/**
 * Runs a job: reads a sealed memtable or runs of tables in order, keeps what key-fold.ts keeps, and writes new tables.
 * Reads and writes nothing but the files that the job names.
 *
 * The result is accepted only if it accounts for every entry: as many read as the inputs say they hold, and all of them
 * written, dropped or folded. A read that fails fails the job; it is never taken for the end of the input.
 */
import { LsmError } from '../errors.ts';
import { tableFileName } from '../file-names.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { kindAt, sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import type { InternalIterator } from '../iterator/iterator.ts';
import { MergingIterator } from '../iterator/merging-iterator.ts';
import { compareRanges } from '../key-order.ts';
import { memtableIterator } from '../memtable/memtable.ts';
import { type MergeOperator, mergeOperator } from '../merge-operator.ts';
import { createReadCounters } from '../sstable/read-counters.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { CompactJob, Job, JobResult } from './job.ts';
import { JobOutputs } from './job-outputs.ts';
import { KeyFold } from './key-fold.ts';

export interface JobDependencies {
  readonly fileSystem: FileSystem;
  /** For the result: worker_threads.threadId, 0 on the main thread. */
  readonly threadId: number;
}

interface JobInput {
  readonly iterator: InternalIterator;
  /** As the inputs say; undefined for a memtable. */
  readonly entries: number | undefined;
  bytesRead(): number;
  close(): void;
}

/**
 * Throws LSM_CORRUPTION when an input is damaged, LSM_IO and LSM_NO_SPACE of the disk, LSM_COMPACTION when the job cannot
 * be done as given, LSM_OPTIONS for an unknown merge operator. On failure its output files are deleted.
 */
export function runJob(job: Job, { fileSystem, threadId }: JobDependencies): JobResult {
  const outputs = new JobOutputs(job, fileSystem);
  const input = openInput(job, fileSystem);
  try {
    const counts = rewrite(job, input.iterator, outputs);
    const bytesRead = input.bytesRead();
    checkAccount(job, input, counts, outputs);
    outputs.finish();
    const bytesWritten = outputs.tables.reduce((sum, table) => sum + table.sizeBytes, 0);
    return { tables: outputs.tables, ...counts, bytesRead, bytesWritten, threadId };
  } catch (error) {
    outputs.abandon();
    throw error instanceof LsmError ? error : unforeseen(job, error);
  } finally {
    input.close();
  }
}

function unforeseen(job: Job, cause: unknown): LsmError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new LsmError('LSM_COMPACTION', `job ${job.id} failed: ${message}`, { cause });
}

type Counts = Pick<JobResult, 'entriesIn' | 'entriesDropped' | 'entriesFolded'>;

function rewrite(job: Job, input: InternalIterator, outputs: JobOutputs): Counts {
  const fold = new KeyFold({
    snapshots: job.snapshots,
    bottommost: job.type === 'compact' && job.bottommost,
    operator: operatorOf(job),
    emit: (key, value) => outputs.add(key, value),
  });
  let entriesIn = 0;
  let userKey: Buffer | undefined;
  for (input.seekToFirst(); input.valid(); input.next()) {
    const key = input.key();
    entriesIn++;
    if (userKey === undefined || !startsSame(key, userKey)) {
      fold.finishKey();
      userKey = userKeyInto(userKey, key);
      outputs.betweenKeys();
      fold.startKey(userKey);
    }
    fold.add(key, sequenceAt(key, key.length), kindAt(key, key.length), input.value());
  }
  fold.finishKey();
  return { entriesIn, entriesDropped: fold.dropped, entriesFolded: fold.folded };
}

/** The user key, in the memory of the one before if it fits: a new buffer for each key would be a tenth of the job. */
function userKeyInto(previous: Buffer | undefined, internalKey: Buffer): Buffer {
  const length = internalKey.length - TRAILER_BYTES;
  const target = previous?.length === length ? previous : Buffer.allocUnsafe(length);
  internalKey.copy(target, 0, 0, length);
  return target;
}

function startsSame(internalKey: Buffer, userKey: Buffer): boolean {
  const length = userKey.length;
  return (
    internalKey.length === length + TRAILER_BYTES && compareRanges(internalKey, 0, length, userKey, 0, length) === 0
  );
}

function operatorOf(job: Job): MergeOperator | undefined {
  const name = job.mergeOperatorName;
  if (name === undefined || name === '') return undefined;
  const operator = mergeOperator(name);
  if (operator === undefined) throw new LsmError('LSM_OPTIONS', `merge operator ${name} is not known`);
  return operator;
}

function checkAccount(job: Job, input: JobInput, counts: Counts, outputs: JobOutputs): void {
  if (input.entries !== undefined && counts.entriesIn !== input.entries) {
    const what = `job ${job.id} read ${counts.entriesIn} entries of tables that hold ${input.entries}`;
    throw new LsmError('LSM_CORRUPTION', what, { kind: 'entries' });
  }
  const accounted = outputs.entries + counts.entriesDropped + counts.entriesFolded;
  if (accounted === counts.entriesIn) return;
  throw new LsmError('LSM_COMPACTION', `job ${job.id} read ${counts.entriesIn} entries and accounts for ${accounted}`);
}

function openInput(job: Job, fileSystem: FileSystem): JobInput {
  if (job.type === 'compact') return openTables(job, fileSystem);
  return {
    iterator: memtableIterator(job.arena, job.arenaBytes),
    entries: undefined,
    bytesRead: () => 0,
    close: () => undefined,
  };
}

/**
 * Every table is a source of its own, runs in the order of the job: tables of a run that are not yet begun rest in the
 * heap of the merge and cost no comparisons.
 */
function openTables(job: CompactJob, fileSystem: FileSystem): JobInput {
  const counters = createReadCounters();
  const readers: TableReader[] = [];
  const close = () => {
    for (const reader of readers) reader.close();
  };
  try {
    for (const { fileNumber, sizeBytes, salt } of job.runs.flat()) {
      const path = `${job.directory}/${tableFileName(fileNumber)}`;
      readers.push(TableReader.openSync({ fileSystem, path, sizeBytes, salt, counters }));
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    iterator: new MergingIterator(readers.map((reader) => reader.iterator({ fillCache: false }))),
    entries: readers.reduce((sum, reader) => sum + reader.properties.entries, 0),
    bytesRead: () => counters.bytesRead,
    close,
  };
}
