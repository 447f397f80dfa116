/**
 * From the files of a directory to a state that may be served, in this order:
 *
 *   CURRENT → MANIFEST → every table is there, of its size, with its footer → logs, judged and replayed in order
 *   → what they held is flushed to synced tables → a new log → a new MANIFEST, put in force → old logs and orphans go
 *
 * Nothing is removed before its successor is durable. What was read from a log counts only when it is in a table: bytes
 * that a read returns may be in the page cache alone (the re-persist rule of docs/formats.md).
 */
import { LsmError } from './errors.ts';
import { CURRENT_FILE, manifestFileName, parseFileName, tableFileName } from './file-names.ts';
import type { FileSystem } from './file-system/file-system.ts';
import type { ResolvedOptions } from './options.ts';
import type { OpenTableOf } from './read-path.ts';
import type { TaskRunner } from './task-runner/task-runner.ts';
import type { Random } from './timers.ts';
import { decodeCurrent } from './version/current-file.ts';
import { applyEdit, EMPTY_STATE, type EngineState } from './version/engine-state.ts';
import { readManifest } from './version/manifest.ts';
import type { TableMeta } from './version/version.ts';
import { Replay } from './replay.ts';
import { type LogHistory, readLogs } from './wal/log-history.ts';

export interface RecoveryReport {
  /** The directory was empty. */
  readonly isNew: boolean;
  /** The engine before ended by `close`. */
  readonly cleanShutdown: boolean;
  /** Writes may be missing that were acknowledged with less than `sync`, or the last synced group if the disk lied. */
  readonly tailDoubt: boolean;
  readonly logsRead: number;
  /** Batches. */
  readonly recordsReplayed: number;
  readonly entriesReplayed: number;
  /** Of logs and MANIFEST: behind the last good record. */
  readonly bytesTruncated: number;
  /** Whole records behind a bad one: un-synced writes that reached the disk out of order. */
  readonly recordsDiscarded: number;
  readonly tablesChecked: number;
}

export interface RecoveryDependencies {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly random: Random;
  readonly tasks: TaskRunner;
  readonly options: ResolvedOptions;
  readonly open: OpenTableOf;
}

export interface Recovered {
  /** Tables of replayed logs included; its `logs` are replaced by the caller's new one. */
  readonly state: EngineState;
  readonly report: RecoveryReport;
}

/** Reads the directory and writes nothing but new tables. Throws when anything durable is damaged. */
export async function recover(dependencies: RecoveryDependencies): Promise<Recovered> {
  const names = dependencies.fileSystem.readdir(dependencies.directory);
  const found = readState(dependencies, names);
  const state = { ...found.state, nextFileNumber: Math.max(found.state.nextFileNumber, largestNumber(names) + 1) };
  for (const table of state.version.tables()) checkTable(dependencies, table);
  const history = readLogs(dependencies.fileSystem, dependencies.directory, names, state.logs);
  const replay = new Replay(dependencies, state);
  await replay.run(history);
  return { state: replay.stateAfter(history), report: reportOf(found, history, replay, state) };
}

/** Name of the merge operator to use: the one recorded, or the first one given. */
export function agreeOnMergeOperator(recorded: string, given: string): string {
  if (recorded === '' || recorded === given) return given;
  const found = given === '' ? 'none' : `'${given}'`;
  throw new LsmError(
    'LSM_OPTIONS',
    `option mergeOperatorName must be '${recorded}', as recorded in the directory, found ${found}`,
  );
}

interface FoundState {
  readonly state: EngineState;
  readonly isNew: boolean;
  readonly bytesTruncated: number;
}

function readState({ fileSystem, directory, options }: RecoveryDependencies, names: readonly string[]): FoundState {
  if (!names.includes(CURRENT_FILE)) {
    assertNeverUsed(names);
    return { state: { ...EMPTY_STATE, mergeOperatorName: options.mergeOperatorName }, isNew: true, bytesTruncated: 0 };
  }
  const number = readCurrent(fileSystem, directory);
  const name = manifestFileName(number);
  if (!names.includes(name)) throw missing(name);
  const file = openFile(fileSystem, `${directory}/${name}`, name);
  try {
    const { edits, bytesTruncated } = readManifest(file, name, number);
    const state = edits.reduce(applyEdit, EMPTY_STATE);
    const mergeOperatorName = agreeOnMergeOperator(state.mergeOperatorName, options.mergeOperatorName);
    return { state: { ...state, mergeOperatorName }, isNew: false, bytesTruncated };
  } finally {
    file.close();
  }
}

/** Logs and tables are made only once CURRENT is durable: without it they mean that it was lost. */
function assertNeverUsed(names: readonly string[]): void {
  const data = names.find((name) => ['log', 'table'].includes(parseFileName(name).type));
  if (data === undefined) return;
  throw new LsmError('LSM_CORRUPTION', `CURRENT is missing, but there is ${data}`, {
    file: CURRENT_FILE,
    kind: 'manifest',
  });
}

function readCurrent(fileSystem: FileSystem, directory: string): number {
  const file = openFile(fileSystem, `${directory}/${CURRENT_FILE}`, CURRENT_FILE);
  try {
    const bytes = Buffer.alloc(Math.min(file.size(), 256));
    file.read(bytes, 0);
    return decodeCurrent(bytes, CURRENT_FILE);
  } finally {
    file.close();
  }
}

function openFile(fileSystem: FileSystem, path: string, file: string) {
  try {
    return fileSystem.open(path, 'read');
  } catch (cause) {
    throw new LsmError('LSM_IO', `${file} cannot be opened`, { cause, file });
  }
}

function checkTable({ fileSystem, directory, open }: RecoveryDependencies, table: TableMeta): void {
  const file = tableFileName(table.number);
  const size = fileSystem.size(`${directory}/${file}`);
  if (size === undefined) throw missing(file);
  if (size !== table.sizeBytes) {
    const message = `${file} has ${size} bytes, the MANIFEST says ${table.sizeBytes}`;
    throw new LsmError('LSM_CORRUPTION', message, { file, kind: 'missing' });
  }
  open(table);
}

function missing(file: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `${file} is missing`, { file, kind: 'missing' });
}

/** Largest number of any file that the engine made, orphans included. */
function largestNumber(names: readonly string[]): number {
  return names.reduce((largest, name) => {
    const parsed = parseFileName(name);
    return 'number' in parsed ? Math.max(largest, parsed.number) : largest;
  }, 0);
}

function reportOf(found: FoundState, history: LogHistory, replay: Replay, state: EngineState): RecoveryReport {
  return {
    isNew: found.isNew,
    cleanShutdown: found.isNew ? false : history.cleanShutdown,
    tailDoubt: !found.isNew && !history.cleanShutdown,
    logsRead: history.logs.length,
    recordsReplayed: replay.records,
    entriesReplayed: replay.entries,
    bytesTruncated: found.bytesTruncated + history.bytesTruncated,
    recordsDiscarded: history.recordsDiscarded,
    tablesChecked: state.version.tables().length,
  };
}
