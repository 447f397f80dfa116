/** Small encoded records for the tests of reads. */
import { makeActor } from '../../src/dot.ts';
import { applyWrite, type DottedRecord, mergeRecords, stripExpired } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-codec.ts';

const ACTOR = makeActor({ memberNumber: 1, tenureHigh: 0, tenureLow: 1 });
const OTHER_ACTOR = makeActor({ memberNumber: 2, tenureHigh: 0, tenureLow: 2 });

function write(base: DottedRecord | undefined, counter: number, value: Uint8Array | 'tombstone'): DottedRecord {
  return applyWrite(base, { dot: { actor: ACTOR, counter }, hybridTime: counter * 2048, value, supersedes: 'held' });
}

const oldRecord = write(undefined, 1, Uint8Array.of(1));

/** Written once; written over; deleted after that; and a sibling that saw none of it. */
export const OLD = encodeRecord(oldRecord);
export const NEW = encodeRecord(write(oldRecord, 2, Uint8Array.of(2)));
export const DELETED = encodeRecord(write(oldRecord, 3, 'tombstone'));
export const SIBLING = encodeRecord(
  applyWrite(undefined, {
    dot: { actor: OTHER_ACTOR, counter: 1 },
    hybridTime: 4096,
    value: Uint8Array.of(9),
    supersedes: 'held',
  }),
);
export const BOTH = mergeEncoded(NEW, SIBLING);
export const DAMAGED = Uint8Array.from(NEW, (byte, index) => (index === NEW.length - 1 ? byte ^ 1 : byte));

const expiring = applyWrite(undefined, {
  dot: { actor: ACTOR, counter: 9 },
  hybridTime: 2048,
  value: Uint8Array.of(5, 5),
  supersedes: 'held',
  deadlineMs: 10,
});
export const EXPIRED = encodeRecord(expiring);
export const STRIPPED = encodeRecord(stripExpired(expiring, 1000));

export function mergeEncoded(a: Uint8Array, b: Uint8Array): Uint8Array {
  return encodeRecord(mergeRecords(decodeRecord(a), decodeRecord(b)));
}

export function nameOf(record: Uint8Array | undefined): string {
  if (record === undefined) return 'nothing';
  const names = { OLD, NEW, DELETED, SIBLING, BOTH, DAMAGED, EXPIRED, STRIPPED };
  for (const [name, bytes] of Object.entries(names)) if (Buffer.compare(bytes, record) === 0) return name;
  return 'another record';
}
