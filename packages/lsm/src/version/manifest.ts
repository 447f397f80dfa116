/**
 * The MANIFEST file: a full snapshot of the state as its first edit, then every edit since, each chained to the one
 * before by its checksum. On disk: docs/formats.md "MANIFEST".
 *
 *   header  magic 8 | format u32 | compatible u32 | incompatible u32 | zero u32 | manifest number u64 | crc u32
 *   record  crc u32 | payload length u32 | offset u64 | edit number u64 | previous crc u32 | payload
 *
 * Every append is synced before it counts. A bad record with a good one behind it is damage; without, it is an append
 * that was never acknowledged.
 */
import { crc32 } from '../checksum.ts';
import { readUInt64LE, writeUInt64LE } from '../encoding.ts';
import { LsmError } from '../errors.ts';
import type { Done, File } from '../file-system/file-system.ts';
import { decodeEdit, encodeEdit, type VersionEdit } from './version-edit.ts';

export const MANIFEST_MAGIC = Buffer.from('KVDMAN\r\n', 'latin1');
export const MANIFEST_FORMAT = 1;
/** Incompatible feature bits that this version understands. */
export const MANIFEST_FEATURES_KNOWN = 0;
export const MANIFEST_HEADER_BYTES = 36;
export const EDIT_HEADER_BYTES = 28;

export function encodeManifestHeader(number: number): Buffer {
  const bytes = Buffer.alloc(MANIFEST_HEADER_BYTES);
  MANIFEST_MAGIC.copy(bytes);
  bytes.writeUInt32LE(MANIFEST_FORMAT, 8);
  writeUInt64LE(bytes, 24, number);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32);
  return bytes;
}

export function encodeEditRecord(place: EditPlace, edit: VersionEdit): Buffer {
  const payload = encodeEdit(edit);
  const bytes = Buffer.alloc(EDIT_HEADER_BYTES + payload.length);
  bytes.writeUInt32LE(payload.length, 4);
  writeUInt64LE(bytes, 8, place.offset);
  writeUInt64LE(bytes, 16, place.editNumber);
  bytes.writeUInt32LE(place.previousCrc, 24);
  payload.copy(bytes, EDIT_HEADER_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

export interface EditPlace {
  readonly offset: number;
  /** 0 for the snapshot. */
  readonly editNumber: number;
  readonly previousCrc: number;
}

export class ManifestWriter {
  readonly number: number;
  readonly #file: File;
  #length = 0;
  #edits = 0;
  #previousCrc = 0;

  /** `file` must be new and empty. */
  constructor(file: File, number: number) {
    const header = encodeManifestHeader(number);
    file.write(header, 0);
    this.number = number;
    this.#file = file;
    this.#length = header.length;
    this.#previousCrc = header.readUInt32LE(32);
  }

  get sizeBytes(): number {
    return this.#length;
  }

  /** Appends and syncs. After an error the file must not be used again. */
  append(edit: VersionEdit, done: Done): void {
    const place = { offset: this.#length, editNumber: this.#edits, previousCrc: this.#previousCrc };
    const record = encodeEditRecord(place, edit);
    try {
      this.#file.write(record, this.#length);
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#length += record.length;
    this.#edits++;
    this.#previousCrc = record.readUInt32LE(0);
    this.#file.sync(done);
  }

  close(): void {
    this.#file.close();
  }
}

export interface ManifestContents {
  readonly edits: readonly VersionEdit[];
  /** Bytes of an append that was never acknowledged. */
  readonly bytesTruncated: number;
}

/**
 * Reads a whole MANIFEST. Throws LSM_CORRUPTION (kind `manifest`) when it is damaged, LSM_INCOMPATIBLE_FORMAT when it is
 * of a newer format, LSM_IO when it cannot be read.
 */
export function readManifest(file: File, name: string, number: number): ManifestContents {
  const bytes = readWhole(file, name);
  checkHeader(bytes, name, number);
  const edits: VersionEdit[] = [];
  let at = MANIFEST_HEADER_BYTES;
  let previousCrc = bytes.readUInt32LE(32);
  while (isEditAt(bytes, at)) {
    const editNumber = readUInt64LE(bytes, at + 16);
    if (editNumber !== edits.length) throw damaged(name, at, `edit ${editNumber} where ${edits.length} belongs`);
    if (bytes.readUInt32LE(at + 24) !== previousCrc)
      throw damaged(name, at, 'an edit that does not follow the one before');
    const end = at + EDIT_HEADER_BYTES + bytes.readUInt32LE(at + 4);
    edits.push(decodeEdit(bytes.subarray(at + EDIT_HEADER_BYTES, end)));
    previousCrc = bytes.readUInt32LE(at);
    at = end;
  }
  if (edits.length === 0) throw damaged(name, at, 'no snapshot');
  for (let behind = at; behind < bytes.length; behind++) {
    if (isEditAt(bytes, behind)) throw damaged(name, at, `a bad edit before a good one at ${behind}`);
  }
  return { edits, bytesTruncated: bytes.length - at };
}

function isEditAt(bytes: Buffer, at: number): boolean {
  const start = at + EDIT_HEADER_BYTES;
  if (start > bytes.length || bytes.readUInt32LE(at + 8) !== at || bytes.readUInt32LE(at + 12) !== 0) return false;
  const end = start + bytes.readUInt32LE(at + 4);
  return end <= bytes.length && crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32LE(at);
}

function checkHeader(bytes: Buffer, name: string, number: number): void {
  if (bytes.length < MANIFEST_HEADER_BYTES || !bytes.subarray(0, 8).equals(MANIFEST_MAGIC)) {
    throw damaged(name, 0, 'no MANIFEST header');
  }
  if (crc32(bytes.subarray(0, 32)) !== bytes.readUInt32LE(32)) throw damaged(name, 0, 'a damaged header');
  const format = bytes.readUInt32LE(8);
  const incompatible = bytes.readUInt32LE(16);
  if (format !== MANIFEST_FORMAT || (incompatible & ~MANIFEST_FEATURES_KNOWN) !== 0) {
    const found = `format ${format}, incompatible features 0x${incompatible.toString(16)}`;
    throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `${name} was written by a newer version (${found})`, { file: name });
  }
  if (readUInt64LE(bytes, 24) !== number) throw damaged(name, 0, 'the header of another MANIFEST');
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

function damaged(file: string, offset: number, found: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `${file}: found ${found} at ${offset}`, { file, offset, kind: 'manifest' });
}
