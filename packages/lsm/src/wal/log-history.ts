/**
 * The logs of a directory as one history. Log n + 1 counts only when log n is whole: it ends with its seal, where the
 * header of n + 1 says that it does. What is not whole ends the history, unless something bears witness that it had been
 * durable; then it is damage, and nothing is dropped.
 *
 * Witnesses for log n: its own records (log-reader.ts), the MANIFEST, the header of n + 1, and any record of a later log
 * that knows of a sync of its own log: no log is synced before those before it.
 */
import { LsmError } from '../errors.ts';
import { logFileName, parseFileName } from '../file-names.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import type { LogState } from '../version/version-edit.ts';
import { checkDurablePart, type LogContents, readLog } from './log-reader.ts';

export interface LogHistory {
  /** Those that count, in order; of the last one, the records up to its end. */
  readonly logs: readonly LogContents[];
  readonly cleanShutdown: boolean;
  readonly isEmpty: boolean;
  readonly bytesTruncated: number;
  readonly recordsDiscarded: number;
}

/** `listed` are the live logs that the MANIFEST names. Throws LSM_CORRUPTION (`missing`, `wal-middle`). */
export function readLogs(
  fileSystem: FileSystem,
  directory: string,
  names: readonly string[],
  listed: readonly LogState[],
): LogHistory {
  const oldest = listed[0]?.number ?? Number.POSITIVE_INFINITY;
  const numbers = names.flatMap((name) => {
    const parsed = parseFileName(name);
    return parsed.type === 'log' && parsed.number >= oldest ? [parsed.number] : [];
  });
  numbers.sort((a, b) => a - b);
  for (const { number } of listed) if (!numbers.includes(number)) throw missingLog(number);
  return judge(
    numbers.map((number) => readOne(fileSystem, directory, number)),
    listed,
  );
}

function readOne(fileSystem: FileSystem, directory: string, number: number): LogContents {
  const name = logFileName(number);
  const file = openLog(fileSystem, `${directory}/${name}`, name);
  try {
    return readLog(file, name, number);
  } finally {
    file.close();
  }
}

function openLog(fileSystem: FileSystem, path: string, file: string) {
  try {
    return fileSystem.open(path, 'read');
  } catch (cause) {
    throw new LsmError('LSM_IO', `${file} cannot be opened`, { cause, file });
  }
}

function judge(logs: readonly LogContents[], listed: readonly LogState[]): LogHistory {
  for (const [index, log] of logs.entries()) {
    checkChain(log, logs[index - 1], listed);
    checkDurablePart(log, durableLength(log, logs.slice(index + 1), listed));
  }
  const firstOpen = logs.findIndex((log, index) => !isWhole(log, logs[index + 1]));
  const end = firstOpen === -1 ? logs.length : firstOpen + 1;
  const counted = logs.slice(0, end);
  const dropped = logs.slice(end);
  const last = counted.at(-1);
  return {
    logs: counted,
    // An empty log behind it was made by an open that came no further.
    cleanShutdown: last?.ending === 'clean' && dropped.every((log) => log.records.length === 0),
    isEmpty: logs.length === 0,
    bytesTruncated: sum(counted, (log) => log.sizeBytes - log.validLength) + sum(dropped, (log) => log.sizeBytes),
    recordsDiscarded:
      sum(counted, (log) => log.recordsBehind) + sum(dropped, (log) => log.records.length + log.recordsBehind),
  };
}

/** True when the history goes on with `next`. */
function isWhole(log: LogContents, next: LogContents | undefined): boolean {
  if (log.ending !== 'sealed' || next?.header === undefined) return false;
  return next.header.previousLogNumber === log.logNumber && next.header.previousFinalLength === log.validLength;
}

/** A log's header names the one before: if that one still matters, it must be there. */
function checkChain(log: LogContents, before: LogContents | undefined, listed: readonly LogState[]): void {
  const previous = log.header?.previousLogNumber ?? 0;
  const oldest = listed[0]?.number ?? 0;
  if (previous >= oldest && previous !== 0 && before?.logNumber !== previous) throw missingLog(previous);
}

function durableLength(log: LogContents, later: readonly LogContents[], listed: readonly LogState[]): number {
  let durable = listedLength(log, listed);
  const header = later[0]?.header;
  if (header?.previousLogNumber !== log.logNumber) return durable;
  durable = Math.max(durable, header.previousDurableLength);
  const wasSyncedLater = later.some((next) => next.durableWitness > 0 || listedLength(next, listed) > 0);
  return wasSyncedLater ? Math.max(durable, header.previousFinalLength) : durable;
}

function listedLength(log: LogContents, listed: readonly LogState[]): number {
  return listed.find(({ number }) => number === log.logNumber)?.durableLength ?? 0;
}

function missingLog(number: number): LsmError {
  const file = logFileName(number);
  return new LsmError('LSM_CORRUPTION', `${file} is missing`, { file, kind: 'missing' });
}

function sum(logs: readonly LogContents[], of: (log: LogContents) => number): number {
  return logs.reduce((total, log) => total + of(log), 0);
}
