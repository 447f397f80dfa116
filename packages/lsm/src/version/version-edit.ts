/**
 * One change of what the MANIFEST keeps: tables in and out, logs, counters. On disk: docs/formats.md "MANIFEST".
 *
 *   edit   field*
 *   field  tag varint | length varint | bytes
 *
 * A reader refuses a tag below 64 that it does not know, and skips one from 64 on.
 */
import { readUInt64LE, readVarint, varintLength, writeUInt64LE, writeVarint } from '../encoding.ts';
import { LsmError } from '../errors.ts';
import { LEVELS, type TableChange, type TableMeta } from './version.ts';

const TAG_MERGE_OPERATOR = 1;
const TAG_NEXT_FILE_NUMBER = 2;
const TAG_LAST_SEQUENCE = 3;
const TAG_LOGS = 4;
const TAG_TABLE_ADDED = 5;
const TAG_TABLE_REMOVED = 6;
const TAG_COMPACTION_POINTER = 7;
const TAG_SKIPPABLE_FROM = 64;

/** A log that the next open must find. Older ones are obsolete. */
export interface LogState {
  readonly number: number;
  /** Bytes of it that are known to be on disk; for a sealed log that was synced, all of it. */
  readonly durableLength: number;
}

export interface VersionEdit {
  readonly mergeOperatorName?: string;
  readonly nextFileNumber?: number;
  readonly lastSequence?: number;
  /** All live logs, ascending; replaces the list before. */
  readonly logs?: readonly LogState[];
  readonly added?: readonly TableChange[];
  readonly removed?: readonly { readonly level: number; readonly number: number }[];
  /** Where the next compaction of a level begins, behind this internal key. */
  readonly pointers?: readonly { readonly level: number; readonly key: Buffer }[];
}

export function encodeEdit(edit: VersionEdit): Buffer {
  const parts: Buffer[] = [];
  if (edit.mergeOperatorName !== undefined) field(parts, TAG_MERGE_OPERATOR, Buffer.from(edit.mergeOperatorName));
  if (edit.nextFileNumber !== undefined) field(parts, TAG_NEXT_FILE_NUMBER, varints(edit.nextFileNumber));
  if (edit.lastSequence !== undefined) field(parts, TAG_LAST_SEQUENCE, varints(edit.lastSequence));
  if (edit.logs !== undefined)
    field(parts, TAG_LOGS, varints(...edit.logs.flatMap((log) => [log.number, log.durableLength])));
  for (const { level, number } of edit.removed ?? []) field(parts, TAG_TABLE_REMOVED, varints(level, number));
  for (const { level, table } of edit.added ?? []) field(parts, TAG_TABLE_ADDED, encodeTable(level, table));
  for (const { level, key } of edit.pointers ?? [])
    field(parts, TAG_COMPACTION_POINTER, Buffer.concat([varints(level), key]));
  return Buffer.concat(parts);
}

/** Throws LSM_CORRUPTION on bytes that are no edit, LSM_INCOMPATIBLE_FORMAT on a tag of a newer format. */
export function decodeEdit(bytes: Buffer): VersionEdit {
  const edit: MutableEdit = { added: [], removed: [], pointers: [] };
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const length = readVarint(bytes, cursor);
    const end = cursor.at + length;
    if (end > bytes.length) throw damaged('a field that runs over its end');
    decodeField(edit, tag, bytes.subarray(cursor.at, end));
    cursor.at = end;
  }
  return edit;
}

type MutableEdit = { -readonly [Name in keyof VersionEdit]: VersionEdit[Name] } & {
  added: TableChange[];
  removed: { level: number; number: number }[];
  pointers: { level: number; key: Buffer }[];
};

function decodeField(edit: MutableEdit, tag: number, bytes: Buffer): void {
  const cursor = { at: 0 };
  switch (tag) {
    case TAG_MERGE_OPERATOR:
      edit.mergeOperatorName = bytes.toString();
      return;
    case TAG_NEXT_FILE_NUMBER:
      edit.nextFileNumber = readVarint(bytes, cursor);
      return;
    case TAG_LAST_SEQUENCE:
      edit.lastSequence = readVarint(bytes, cursor);
      return;
    case TAG_LOGS:
      edit.logs = decodeLogs(bytes);
      return;
    case TAG_TABLE_ADDED:
      edit.added.push(decodeTable(bytes));
      return;
    case TAG_TABLE_REMOVED:
      edit.removed.push({ level: readLevel(bytes, cursor), number: readVarint(bytes, cursor) });
      return;
    case TAG_COMPACTION_POINTER:
      edit.pointers.push({ level: readLevel(bytes, cursor), key: Buffer.from(bytes.subarray(cursor.at)) });
      return;
    default:
      if (tag < TAG_SKIPPABLE_FROM)
        throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `MANIFEST edit has unknown field ${tag}`);
  }
}

function decodeLogs(bytes: Buffer): LogState[] {
  const logs: LogState[] = [];
  const cursor = { at: 0 };
  while (cursor.at < bytes.length)
    logs.push({ number: readVarint(bytes, cursor), durableLength: readVarint(bytes, cursor) });
  return logs;
}

/** Fixed part of an added table: salt, smallest and largest sequence, global sequence, whole-file checksum. */
const TABLE_FIXED_BYTES = 8 + 8 + 8 + 8 + 4;

function encodeTable(level: number, table: TableMeta): Buffer {
  const fixed = Buffer.alloc(TABLE_FIXED_BYTES);
  fixed.writeUInt32LE(table.salt[0], 0);
  fixed.writeUInt32LE(table.salt[1], 4);
  writeUInt64LE(fixed, 8, table.smallestSequence);
  writeUInt64LE(fixed, 16, table.largestSequence);
  writeUInt64LE(fixed, 24, table.globalSequence);
  fixed.writeUInt32LE(table.checksum, 32);
  const parts = [varints(level, table.number, table.sizeBytes, table.entries), fixed];
  parts.push(sized(table.smallest), sized(table.largest), varints(table.properties.size));
  for (const [name, value] of table.properties) parts.push(sized(Buffer.from(name)), sized(value));
  return Buffer.concat(parts);
}

function decodeTable(bytes: Buffer): TableChange {
  const cursor = { at: 0 };
  const level = readLevel(bytes, cursor);
  const number = readVarint(bytes, cursor);
  const sizeBytes = readVarint(bytes, cursor);
  const entries = readVarint(bytes, cursor);
  const fixed = take(bytes, cursor, TABLE_FIXED_BYTES);
  const smallest = take(bytes, cursor, readVarint(bytes, cursor));
  const largest = take(bytes, cursor, readVarint(bytes, cursor));
  if (smallest.length <= 8 || largest.length <= 8) throw damaged('a table whose keys are too short');
  return {
    level,
    table: {
      number,
      sizeBytes,
      entries,
      salt: [fixed.readUInt32LE(0), fixed.readUInt32LE(4)],
      smallestSequence: readUInt64LE(fixed, 8),
      largestSequence: readUInt64LE(fixed, 16),
      globalSequence: readUInt64LE(fixed, 24),
      checksum: fixed.readUInt32LE(32),
      smallest,
      largest,
      properties: decodeProperties(bytes, cursor),
    },
  };
}

function decodeProperties(bytes: Buffer, cursor: { at: number }): ReadonlyMap<string, Buffer> {
  const properties = new Map<string, Buffer>();
  for (let left = readVarint(bytes, cursor); left > 0; left--) {
    const name = take(bytes, cursor, readVarint(bytes, cursor)).toString();
    properties.set(name, take(bytes, cursor, readVarint(bytes, cursor)));
  }
  return properties;
}

function readLevel(bytes: Buffer, cursor: { at: number }): number {
  const level = readVarint(bytes, cursor);
  if (level >= LEVELS) throw damaged(`level ${level}`);
  return level;
}

/** A copy: what is kept of a MANIFEST must not pin all of it. */
function take(bytes: Buffer, cursor: { at: number }, length: number): Buffer {
  const end = cursor.at + length;
  if (end > bytes.length) throw damaged('a value that runs over its end');
  const part = Buffer.from(bytes.subarray(cursor.at, end));
  cursor.at = end;
  return part;
}

function field(parts: Buffer[], tag: number, bytes: Buffer): void {
  parts.push(varints(tag, bytes.length), bytes);
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([varints(bytes.length), bytes]);
}

function varints(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.reduce((sum, value) => sum + varintLength(value), 0));
  let at = 0;
  for (const value of values) at = writeVarint(bytes, at, value);
  return bytes;
}

function damaged(what: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `MANIFEST edit holds ${what}`, { kind: 'manifest' });
}
