/**
 * Pages of the records that this node holds in a range of slots, in the order of addresses: what it answers to `scan`. Deleted
 * and expired records are in them too, since who merges the pages of several owners must tell "deleted" from "never seen".
 *
 * One call does bounded work: so many records, so many bytes read, so many slots passed over. It says how far it came.
 */
import type { Engine } from '@kvd/lsm';
import {
  addressOfStorageKey,
  decodeTrustedRecord,
  FAMILY,
  familyPrefix,
  isLive,
  recordHash,
  type ScannedRecord,
  slotOfAddress,
  slotPrefix,
  winner,
} from '@kvd/replication';

export interface ScanRange {
  readonly fromSlot: number;
  readonly toSlot: number;
  /** Exclusive; empty: from the first of the range. */
  readonly after: Uint8Array;
  readonly limit: number;
}

export interface ScanPage {
  readonly records: readonly ScannedRecord[];
  /** Nothing up to here (inclusive) is missing; empty: the range is done. */
  readonly covered: Uint8Array;
}

/** Whatever is asked for, one page has no more records. */
export const PAGE_RECORDS_MAX = 1000;
/** A page ends with the record that goes beyond it. */
const PAGE_BYTES_MAX = 1024 * 1024;
/** Slots in which there was something else than records, or nothing. */
const EMPTY_SLOTS_MAX = 4096;
/** Slot, keyspace, generation; then the family byte. */
const PLACE_BYTES = 8;
const NOTHING = Buffer.alloc(0);

export interface RecordScanDependencies {
  readonly engine: Engine;
  /** Of record hashes. */
  readonly seed: number;
}

/** Throws what the engine throws, and REPLICATION_BAD_RECORD. `nowMs`: what has expired by then is not live. */
export function scanRecords({ engine, seed }: RecordScanDependencies, range: ScanRange, nowMs: number): ScanPage {
  const limit = Math.max(1, Math.min(range.limit, PAGE_RECORDS_MAX));
  const records: ScannedRecord[] = [];
  const cursor = engine.cursor({ lt: slotPrefix(range.toSlot + 1) });
  let bytes = 0;
  let passed = 0;
  try {
    cursor.seek(firstKey(range));
    while (cursor.next()) {
      const { key } = cursor;
      if (range.after.length > 0 && isAtOrBefore(key, range.after)) continue;
      const slot = slotOfAddress(key);
      if (!isRecord(key)) {
        if (++passed > EMPTY_SLOTS_MAX) return { records, covered: slotPrefix(slot) };
        cursor.seek(nextRecords(key, slot));
        continue;
      }
      if (records.length === limit || bytes > PAGE_BYTES_MAX) return { records, covered: lastOf(records) };
      const { value } = cursor;
      records.push(scanned(seed, addressOfStorageKey(key, FAMILY.records), value, nowMs));
      bytes += key.length + value.length;
    }
    return { records, covered: NOTHING };
  } finally {
    cursor.close();
  }
}

function scanned(seed: number, address: Buffer, bytes: Uint8Array, nowMs: number): ScannedRecord {
  const record = decodeTrustedRecord(bytes);
  const live = isLive(record, nowMs);
  const expires = live && (winner(record, nowMs)?.deadlines.length ?? 0) > 0;
  return { address, hash: recordHash(seed, address, bytes), live, expires, type: record.type };
}

/** At or before the first key that can be in the range. */
function firstKey({ fromSlot, after }: ScanRange): Buffer {
  const start = recordsOf(fromSlot);
  if (after.length <= PLACE_BYTES)
    return after.length < 2 || slotOfAddress(after) < fromSlot ? start : Buffer.from(after);
  const key = Buffer.allocUnsafe(after.length + 1);
  key.set(after.subarray(0, PLACE_BYTES));
  key[PLACE_BYTES] = FAMILY.records;
  key.set(after.subarray(PLACE_BYTES), PLACE_BYTES + 1);
  return Buffer.compare(key, start) < 0 ? start : key;
}

function isAtOrBefore(key: Buffer, after: Uint8Array): boolean {
  return isRecord(key) && Buffer.compare(addressOfStorageKey(key, FAMILY.records), after) <= 0;
}

function isRecord(key: Buffer): boolean {
  return key.length > PLACE_BYTES && key[PLACE_BYTES] === FAMILY.records;
}

/** From a key that is no record's to where the next records can be. */
function nextRecords(key: Buffer, slot: number): Buffer {
  const start = recordsOf(slot);
  return Buffer.compare(key, start) < 0 ? start : slotPrefix(slot + 1);
}

function recordsOf(slot: number): Buffer {
  return familyPrefix({ slot, keyspace: 0, generation: 0 }, FAMILY.records);
}

function lastOf(records: readonly ScannedRecord[]): Uint8Array {
  return records.at(-1)?.address ?? NOTHING;
}
