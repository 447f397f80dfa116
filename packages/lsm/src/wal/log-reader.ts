/**
 * Reads one log and judges its end by the doubt rule of FAULTS A1. The records up to the first bad one are what may be
 * replayed; what is found behind it is never replayed, but it bears witness: a record there that says "durable up to D"
 * turns a bad record below D from a torn tail into damage.
 */
import { readUInt64LE } from '../encoding.ts';
import { LsmError } from '../errors.ts';
import type { File } from '../file-system/file-system.ts';
import { decodeLogHeader, isRecordAt, LOG_HEADER_BYTES, type LogHeader } from './log-format.ts';
import { RECORD_BATCH, RECORD_CLEAN_SHUTDOWN, RECORD_HEADER_BYTES, RECORD_SEAL } from './log-format.ts';

export interface LogRecord {
  readonly kind: number;
  readonly offset: number;
  readonly firstSequence: number;
  readonly count: number;
  /** A view into the log. */
  readonly payload: Buffer;
}

export interface LogContents {
  readonly file: string;
  readonly logNumber: number;
  /** Absent when the log was created and not one byte of it kept. */
  readonly header: LogHeader | undefined;
  readonly records: readonly LogRecord[];
  /** Where the first bad record begins, or the file's end. */
  readonly validLength: number;
  readonly sizeBytes: number;
  /** The greatest `durable up to` of any whole record, those behind the first bad one included. */
  readonly durableWitness: number;
  /** Whole records behind the first bad one: writes that reached the disk out of order. */
  readonly recordsBehind: number;
  /** Ends with a seal or a clean shutdown, and with nothing behind it. */
  readonly ending: 'open' | 'sealed' | 'clean';
}

/** Reads all of `file`. Throws LSM_IO when it cannot be read, LSM_INCOMPATIBLE_FORMAT when it is of a newer format. */
export function readLog(file: File, name: string, logNumber: number): LogContents {
  const bytes = readWhole(file, name);
  const header = decodeLogHeader(bytes, logNumber, name);
  const records: LogRecord[] = [];
  let at = header === undefined ? 0 : LOG_HEADER_BYTES;
  let durableWitness = 0;
  while (header !== undefined && isRecordAt(bytes, at, logNumber)) {
    const record = recordAt(bytes, at);
    if (record.kind > RECORD_CLEAN_SHUTDOWN) throw unknownRecord(name, record);
    records.push(record);
    durableWitness = Math.max(durableWitness, durableUpToAt(bytes, at));
    at += RECORD_HEADER_BYTES + record.payload.length;
  }
  const behind = scanBehind(bytes, at, logNumber);
  return {
    file: name,
    logNumber,
    header,
    records,
    validLength: at,
    sizeBytes: bytes.length,
    durableWitness: Math.max(durableWitness, behind.durableWitness),
    recordsBehind: behind.records,
    ending: endingOf(records.at(-1), at === bytes.length),
  };
}

/** Throws LSM_CORRUPTION `wal-middle` when bytes that are known to have been durable are damaged. */
export function checkDurablePart(log: LogContents, durable: number): void {
  const known = Math.max(durable, log.durableWitness);
  if (log.validLength >= known) return;
  const message = `${log.file}: bad record at ${log.validLength}, though the log was durable up to ${known}`;
  throw new LsmError('LSM_CORRUPTION', message, { file: log.file, offset: log.validLength, kind: 'wal-middle' });
}

function readWhole(file: File, name: string): Buffer {
  try {
    const bytes = Buffer.allocUnsafeSlow(file.size());
    const read = file.read(bytes, 0);
    if (read !== bytes.length) throw new Error(`read ${read} of ${bytes.length} bytes`);
    return bytes;
  } catch (cause) {
    throw new LsmError('LSM_IO', `${name} cannot be read`, { cause, file: name });
  }
}

/** Looks for whole records of this log at every offset behind the bad one. */
function scanBehind(bytes: Buffer, from: number, logNumber: number): { durableWitness: number; records: number } {
  let durableWitness = 0;
  let records = 0;
  for (let at = from; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    if (!isRecordAt(bytes, at, logNumber)) continue;
    durableWitness = Math.max(durableWitness, durableUpToAt(bytes, at));
    records++;
    at += RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 4) - 1;
  }
  return { durableWitness, records };
}

function recordAt(bytes: Buffer, at: number): LogRecord {
  const start = at + RECORD_HEADER_BYTES;
  return {
    kind: bytes[at + 12] as number,
    offset: at,
    firstSequence: readUInt64LE(bytes, at + 24),
    count: bytes.readUInt32LE(at + 32),
    payload: bytes.subarray(start, start + bytes.readUInt32LE(at + 4)),
  };
}

function durableUpToAt(bytes: Buffer, at: number): number {
  return readUInt64LE(bytes, at + 36);
}

function endingOf(last: LogRecord | undefined, atEnd: boolean): LogContents['ending'] {
  if (last === undefined || !atEnd) return 'open';
  if (last.kind === RECORD_SEAL) return 'sealed';
  return last.kind === RECORD_CLEAN_SHUTDOWN ? 'clean' : 'open';
}

function unknownRecord(file: string, record: LogRecord): LsmError {
  const message = `${file}: record kind ${record.kind} is of a newer format`;
  return new LsmError('LSM_INCOMPATIBLE_FORMAT', message, { file, offset: record.offset });
}

/** True for records that hold writes. */
export function isBatch(record: LogRecord): boolean {
  return record.kind === RECORD_BATCH;
}
