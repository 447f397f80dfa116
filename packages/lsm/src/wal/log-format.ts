/**
 * Bytes of the write-ahead log, shared by its writer and its reader. On disk: docs/formats.md "WAL".
 *
 *   file    header | record*
 *   header  magic 8 | format u32 | compatible u32 | incompatible u32 | zero u32 | log number u64
 *           | previous log number u64 | previous log's final length u64 | previous log's durable length u64 | crc u32
 *   record  crc u32 | payload length u32 | log number u32 | kind u8, zero × 3 | offset in log u64 | first sequence u64
 *           | count u32 | durable up to u64 | payload
 *
 * Each record names its log and its place in it, under the checksum: what an older log or another place left behind is
 * never taken for a record (FAULTS A1).
 */
import { crc32 } from '../checksum.ts';
import { readUInt64LE, writeUInt64LE } from '../encoding.ts';
import { LsmError } from '../errors.ts';

export const LOG_MAGIC = Buffer.from('KVDWAL\r\n', 'latin1');
export const LOG_FORMAT = 1;
/** Incompatible feature bits that this version understands. */
export const LOG_FEATURES_KNOWN = 0;
export const LOG_HEADER_BYTES = 60;
export const RECORD_HEADER_BYTES = 44;

export const RECORD_BATCH = 1;
/** Nothing but its `durable up to`: written when the log falls idle after a sync. */
export const RECORD_MARKER = 2;
/** The last record of a log that was followed by another. */
export const RECORD_SEAL = 3;
/** The last record of an engine that was closed. */
export const RECORD_CLEAN_SHUTDOWN = 4;

/** Log numbers are file numbers; a record has 32 bits for them. */
export const LOG_NUMBER_MAX = 0xffffffff;

export interface LogHeader {
  readonly logNumber: number;
  /** 0: nothing that is in a log came before. */
  readonly previousLogNumber: number;
  /** Where the previous log's seal ends. */
  readonly previousFinalLength: number;
  /** How much of the previous log was known to be on disk when this header was made. */
  readonly previousDurableLength: number;
}

export interface RecordFields {
  readonly logNumber: number;
  readonly offset: number;
  readonly kind: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly durableUpTo: number;
}

export function encodeLogHeader(header: LogHeader): Buffer {
  const bytes = Buffer.alloc(LOG_HEADER_BYTES);
  LOG_MAGIC.copy(bytes);
  bytes.writeUInt32LE(LOG_FORMAT, 8);
  writeUInt64LE(bytes, 24, header.logNumber);
  writeUInt64LE(bytes, 32, header.previousLogNumber);
  writeUInt64LE(bytes, 40, header.previousFinalLength);
  writeUInt64LE(bytes, 48, header.previousDurableLength);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 56)), 56);
  return bytes;
}

/**
 * `undefined` when the bytes are no whole header of log `logNumber`. Throws LSM_INCOMPATIBLE_FORMAT when they are one of
 * a newer format.
 */
export function decodeLogHeader(bytes: Buffer, logNumber: number, file: string): LogHeader | undefined {
  if (bytes.length < LOG_HEADER_BYTES || !bytes.subarray(0, 8).equals(LOG_MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, 56)) !== bytes.readUInt32LE(56)) return undefined;
  refuseNewer(bytes.readUInt32LE(8), bytes.readUInt32LE(16), file);
  if (readUInt64LE(bytes, 24) !== logNumber) return undefined;
  return {
    logNumber,
    previousLogNumber: readUInt64LE(bytes, 32),
    previousFinalLength: readUInt64LE(bytes, 40),
    previousDurableLength: readUInt64LE(bytes, 48),
  };
}

function refuseNewer(format: number, incompatible: number, file: string): void {
  if (format === LOG_FORMAT && (incompatible & ~LOG_FEATURES_KNOWN) === 0) return;
  const found = `format ${format}, incompatible features 0x${incompatible.toString(16)}`;
  throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `${file} was written by a newer version (${found})`, { file });
}

/** Writes a record header with its checksum at `at`. The payload must follow it there already, save it is given apart. */
export function writeRecordHeader(target: Buffer, at: number, fields: RecordFields, payload: Buffer): void {
  target.writeUInt32LE(payload.length, at + 4);
  target.writeUInt32LE(fields.logNumber, at + 8);
  target.writeUInt32LE(fields.kind, at + 12);
  writeUInt64LE(target, at + 16, fields.offset);
  writeUInt64LE(target, at + 24, fields.firstSequence);
  target.writeUInt32LE(fields.count, at + 32);
  writeUInt64LE(target, at + 36, fields.durableUpTo);
  const checksum = crc32(payload, crc32(target.subarray(at + 4, at + RECORD_HEADER_BYTES)));
  target.writeUInt32LE(checksum, at);
}

/** True when a whole record of log `logNumber` stands at `at`, as written there and nowhere else. */
export function isRecordAt(log: Buffer, at: number, logNumber: number): boolean {
  const end = at + RECORD_HEADER_BYTES;
  if (end > log.length || log.readUInt32LE(at + 8) !== logNumber) return false;
  if (log.readUInt32LE(at + 16) !== at % 0x100000000) return false;
  const length = log.readUInt32LE(at + 4);
  if (end + length > log.length) return false;
  return crc32(log.subarray(at + 4, end + length)) === log.readUInt32LE(at) && readUInt64LE(log, at + 16) === at;
}
