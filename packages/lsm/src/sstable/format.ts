/**
 * Constants and fixed structures of tables: what writer and reader share. docs/formats.md "Tables" is normative.
 *
 *   data block* | filter block? | properties block | index partition* | top index? | footer
 *
 * Each block is followed by a trailer, and nothing lies between them.
 */
import { crc32 } from '../checksum.ts';
import type { TableSalt } from '../compaction/job.ts';
import { readUInt64LE, writeUInt64LE } from '../encoding.ts';
import { LsmError } from '../errors.ts';

export const TABLE_FORMAT = 1;
export const FOOTER_BYTES = 80;
/** codec u8 | crc32 u32 */
export const BLOCK_TRAILER_BYTES = 5;
/** Entries between restart points. Index blocks have every entry a restart point. */
export const DATA_RESTART_INTERVAL = 16;
export const INDEX_RESTART_INTERVAL = 1;
/** An index that grows over this is cut into partitions below a top index. */
export const INDEX_BLOCK_BYTES = 32 * 1024;

const MAGIC = Buffer.from('kvdtable', 'latin1');
/** Feature bits that this version knows: none yet. */
const INCOMPATIBLE_FEATURES_KNOWN = 0;
const CHECKSUM_AT = 68;
const MAGIC_AT = 72;

/** Where a block is; `length` is without its trailer. */
export interface BlockHandle {
  readonly offset: number;
  readonly length: number;
}

export interface Footer {
  readonly salt: TableSalt;
  readonly index: BlockHandle;
  /** Length 0 is no filter. */
  readonly filter: BlockHandle;
  readonly properties: BlockHandle;
  /** 1: `index` points at data blocks. 2: it points at index partitions. */
  readonly indexLevels: 1 | 2;
}

export function encodeFooter(footer: Footer): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  bytes.writeUInt32LE(footer.salt[0], 0);
  bytes.writeUInt32LE(footer.salt[1], 4);
  writeHandle(bytes, 8, footer.index);
  writeHandle(bytes, 20, footer.filter);
  writeHandle(bytes, 32, footer.properties);
  bytes[44] = footer.indexLevels;
  bytes.writeUInt32LE(TABLE_FORMAT, 64);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
  bytes.set(MAGIC, MAGIC_AT);
  return bytes;
}

/** Throws LSM_CORRUPTION, or LSM_INCOMPATIBLE_FORMAT for a table of a newer version. `file` is for the message. */
export function decodeFooter(bytes: Buffer, file: string): Footer {
  if (!bytes.subarray(MAGIC_AT).equals(MAGIC)) throw damagedFooter(file, 'has no table magic');
  const expected = bytes.readUInt32LE(CHECKSUM_AT);
  const found = crc32(bytes.subarray(0, CHECKSUM_AT));
  if (found !== expected) throw damagedFooter(file, `has checksum ${found}, expected ${expected}`);
  checkCompatible(bytes, file);
  const indexLevels = bytes[44];
  if (indexLevels !== 1 && indexLevels !== 2) throw damagedFooter(file, `says ${indexLevels} index levels`);
  return {
    salt: [bytes.readUInt32LE(0), bytes.readUInt32LE(4)],
    index: readHandle(bytes, 8),
    filter: readHandle(bytes, 20),
    properties: readHandle(bytes, 32),
    indexLevels,
  };
}

function checkCompatible(bytes: Buffer, file: string): void {
  const format = bytes.readUInt32LE(64);
  if (format !== TABLE_FORMAT) {
    throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `${file} has table format ${format}, known is ${TABLE_FORMAT}`, {
      file,
    });
  }
  const unknown = (bytes.readUInt32LE(52) & ~INCOMPATIBLE_FEATURES_KNOWN) >>> 0;
  if (unknown !== 0) {
    throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `${file} needs unknown table features 0x${unknown.toString(16)}`, {
      file,
    });
  }
}

function damagedFooter(file: string, what: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `footer of ${file} ${what}`, { file, kind: 'footer' });
}

function writeHandle(bytes: Buffer, at: number, handle: BlockHandle): void {
  writeUInt64LE(bytes, at, handle.offset);
  bytes.writeUInt32LE(handle.length, at + 8);
}

function readHandle(bytes: Buffer, at: number): BlockHandle {
  return { offset: readUInt64LE(bytes, at), length: bytes.readUInt32LE(at + 8) };
}

const offsetBytes = Buffer.alloc(8);

/** The salt's share of every block checksum of a table; computed once per table. */
export function saltChecksum(salt: TableSalt): number {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(salt[0], 0);
  bytes.writeUInt32LE(salt[1], 4);
  return crc32(bytes);
}

/** Checksum of a block as stored plus its codec byte: of (salt, offset, those bytes), so that a misplaced block fails. */
export function blockChecksum(saltCrc: number, offset: number, storedWithCodec: Buffer): number {
  writeUInt64LE(offsetBytes, 0, offset);
  return crc32(storedWithCodec, crc32(offsetBytes, saltCrc));
}
