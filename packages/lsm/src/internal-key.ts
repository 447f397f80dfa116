/**
 * Internal keys: what memtables and tables are sorted by.
 *
 *   user key bytes | trailer: u64 big-endian = sequence (56 bits) << 8 | kind (8 bits)
 *
 * Order: user key ascending (memcmp), then trailer DESCENDING, so that of one user key the newest entry comes first.
 * Format 1, docs/formats.md "Internal keys".
 */

/** On disk, in WAL payloads and in trailers. docs/formats.md "Entry kinds". */
export const KIND_DELETE = 0;
export const KIND_PUT = 1;
export const KIND_MERGE = 2;
/** Reserved in format 1: refused with LSM_INCOMPATIBLE_FORMAT until it exists. */
export const KIND_RANGE_DELETE = 3;
/** Reserved in format 1: refused with LSM_INCOMPATIBLE_FORMAT until it exists. */
export const KIND_BLOB_REFERENCE = 4;

export type EntryKind = 0 | 1 | 2 | 3 | 4;

/** The largest kind: a seek key with it and sequence s comes before every entry of the key with a sequence ≤ s. */
export const KIND_SEEK = 4;

export const TRAILER_BYTES = 8;

/** Sequence numbers are safe integers: at most 2^53 - 1. */
export const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** Writes the 8-byte trailer at `offset`. */
export function writeTrailer(target: Buffer, offset: number, sequence: number, kind: number): void {
  const high = Math.floor(sequence / 0x1000000);
  const low = sequence - high * 0x1000000;
  target.writeUInt32BE(high, offset);
  target.writeUInt32BE(((low << 8) | kind) >>> 0, offset + 4);
}

/** Sequence number of the internal key that ends at `end` in `bytes`. */
export function sequenceAt(bytes: Buffer, end: number): number {
  return bytes.readUInt32BE(end - 8) * 0x1000000 + (bytes.readUInt32BE(end - 4) >>> 8);
}

export function kindAt(bytes: Buffer, end: number): number {
  return bytes[end - 1] as number;
}

/** A fresh internal key. */
export function makeInternalKey(userKey: Uint8Array, sequence: number, kind: number): Buffer {
  const key = Buffer.allocUnsafe(userKey.length + TRAILER_BYTES);
  key.set(userKey, 0);
  writeTrailer(key, userKey.length, sequence, kind);
  return key;
}

/** The user key part, as a view. */
export function userKeyOf(internalKey: Buffer): Buffer {
  return internalKey.subarray(0, internalKey.length - TRAILER_BYTES);
}

/** Order of two internal keys. */
export function compareInternalKeys(a: Buffer, b: Buffer): number {
  const order = a.compare(b, 0, b.length - TRAILER_BYTES, 0, a.length - TRAILER_BYTES);
  if (order !== 0) return order;
  return b.compare(a, a.length - TRAILER_BYTES, a.length, b.length - TRAILER_BYTES, b.length);
}
