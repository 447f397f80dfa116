/**
 * Background work as data: what goes to a worker and what comes back. Everything here survives structured clone.
 * A job reads files that are immutable and writes only files whose numbers it was given.
 */
import type { CodecName } from '../options.ts';

export interface TableInput {
  readonly fileNumber: number;
  readonly sizeBytes: number;
  /** Salt of the table's checksums, as recorded in the MANIFEST. */
  readonly salt: TableSalt;
}

/** 64 random bits drawn by the main thread for each table, as two u32; in the footer, in every block checksum, in the MANIFEST. */
export type TableSalt = readonly [number, number];

export interface OutputOptions {
  readonly codec: CodecName;
  readonly blockSizeBytes: number;
  readonly bloomBitsPerKey: number;
  readonly tableSizeBytes: number;
}

interface JobBase {
  readonly id: number;
  readonly directory: string;
  readonly output: OutputOptions;
  /** Open snapshots, ascending: of each key the newest entry at or below each must stay, and the newest of all. */
  readonly snapshots: readonly number[];
  readonly mergeOperatorName: string | undefined;
  /** Numbers and salts for the outputs, used in order; a job that runs out fails and is tried again with more. */
  readonly outputs: readonly { readonly fileNumber: number; readonly salt: TableSalt }[];
}

/** Writes a sealed memtable to one level-0 table (tableSizeBytes does not split it). */
export interface FlushJob extends JobBase {
  readonly type: 'flush';
  /** The memtable's arena and the number of bytes in use; see memtable/memtable.ts. */
  readonly arena: SharedArrayBuffer;
  readonly arenaBytes: number;
}

/** Merges runs of tables into a deeper level. */
export interface CompactJob extends JobBase {
  readonly type: 'compact';
  /** Newest first. Tables within a run are disjoint and ascending; a level-0 table is a run of its own. */
  readonly runs: readonly (readonly TableInput[])[];
  /** No level below the output holds any key of the inputs' range: tombstones may go, merges may be folded to puts. */
  readonly bottommost: boolean;
}

export type Job = FlushJob | CompactJob;

export interface TableOutput {
  readonly fileNumber: number;
  readonly salt: TableSalt;
  readonly sizeBytes: number;
  readonly entries: number;
  /** Internal keys. */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** CRC-32 of the whole file. */
  readonly checksum: number;
}

/** Written, synced, and the directory synced. The main thread re-opens and checks them before it installs them. */
export interface JobResult {
  readonly tables: readonly TableOutput[];
  readonly entriesIn: number;
  /** entriesIn = entries of all tables + dropped + folded, or the result is refused. */
  readonly entriesDropped: number;
  /** Merge operands that were folded into another entry. */
  readonly entriesFolded: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Thread that ran the job: worker_threads.threadId, 0 for the main thread. */
  readonly threadId: number;
}
