/**
 * The bytes of a delta: what one actor has added to a counter, in one *run* of additions each of which superseded the one
 * before. docs/formats.md "Counters".
 *
 *   start    the counter of the run's first dot; the value's own dot is the last
 *   sum      of all additions of the run
 *   ids      of the requests it came of: the latest, and apart from them those that may have been run elsewhere too
 *
 * A request that its entry node has given to a second coordinator may be in the sums of both. The reader finds its id in both
 * deltas and counts it once. The first coordinator's delta need remember it only until the second's is merged (a matter of
 * few requests, for whoever may be repeated is still under way); the second's must, until the first comes back.
 */
import { asBuffer, ByteReader, ByteWriter } from '../encoding.ts';
import type { RequestId } from '../messages.ts';
import { murmur3 } from '../murmur3.ts';
import { readDecimal, writeDecimal } from './decimal.ts';

/** On disk and on the wire. */
export const ID_BYTES = 8;
/** Ids of either sort that a delta remembers; the oldest go first. */
export const IDS_MAX = 64;
/** Decimal of two bytes, count, one id. */
const GROUP_BYTES_MIN = 2 + 1 + ID_BYTES;

/** Consecutive requests that added the same amount. */
export interface IdGroup {
  readonly amount: bigint;
  /** A multiple of ID_BYTES; oldest first. */
  readonly ids: Buffer;
}

export interface Delta {
  readonly start: number;
  readonly sum: bigint;
  /** Oldest first. */
  readonly recent: readonly IdGroup[];
  /** Of requests that another coordinator may have run. Oldest first. */
  readonly repeated: readonly IdGroup[];
}

export function encodeDelta(delta: Delta): Buffer {
  const writer = new ByteWriter(64 + ID_BYTES * (countIds(delta.recent) + countIds(delta.repeated)));
  writer.varint(delta.start);
  writeDecimal(writer, delta.sum);
  for (const groups of [delta.recent, delta.repeated]) {
    writer.varint(groups.length);
    for (const { amount, ids } of groups) {
      writeDecimal(writer, amount);
      writer.sized(ids);
    }
  }
  return writer.finish();
}

/** Views of the bytes. Throws REPLICATION_BAD_RECORD. */
export function decodeDelta(bytes: Uint8Array): Delta {
  const reader = new ByteReader(bytes, 'REPLICATION_BAD_RECORD');
  const start = reader.varint();
  if (start === 0) reader.fail('a delta that starts before its first dot');
  const delta = { start, sum: readDecimal(reader), recent: readGroups(reader), repeated: readGroups(reader) };
  reader.end();
  return delta;
}

/** The sum alone. */
export function sumOfDelta(bytes: Uint8Array): bigint {
  const reader = new ByteReader(bytes, 'REPLICATION_BAD_RECORD');
  reader.varint();
  return readDecimal(reader);
}

function readGroups(reader: ByteReader): IdGroup[] {
  const groups: IdGroup[] = [];
  for (let left = reader.count(GROUP_BYTES_MIN); left > 0; left--) {
    const amount = readDecimal(reader);
    const ids = reader.sized();
    if (ids.length === 0 || ids.length % ID_BYTES !== 0) reader.fail(`ids of ${ids.length} bytes`);
    groups.push({ amount, ids });
  }
  return groups;
}

/** What a delta remembers of a request: of its id, or of the client's own token. */
export function idOfRequest(request: RequestId | Uint8Array): Buffer {
  const bytes =
    request instanceof Uint8Array ? request : Buffer.from(`${request.entry} ${request.incarnation} ${request.n}`);
  const [high, low] = murmur3(bytes, bytes.length, 0);
  const id = Buffer.allocUnsafe(ID_BYTES);
  id.writeUInt32BE(high, 0);
  id.writeUInt32BE(low, 4);
  return id;
}

export function remembers(delta: Delta, id: Buffer): boolean {
  return holdsId(delta.recent, id) || holdsId(delta.repeated, id);
}

export function holdsId(groups: readonly IdGroup[], id: Buffer): boolean {
  return groups.some(({ ids }) => {
    for (let at = ids.indexOf(id); at >= 0; at = ids.indexOf(id, at + 1)) if (at % ID_BYTES === 0) return true;
    return false;
  });
}

/** The groups with one id more, and without the oldest that are too many. */
export function withId(groups: readonly IdGroup[], amount: bigint, id: Buffer): IdGroup[] {
  const last = groups.at(-1);
  const grown =
    last?.amount === amount
      ? [...groups.slice(0, -1), { amount, ids: Buffer.concat([last.ids, id]) }]
      : [...groups, { amount, ids: id }];
  const first = grown[0] as IdGroup;
  if (countIds(grown) <= IDS_MAX) return grown;
  if (first.ids.length === ID_BYTES) return grown.slice(1);
  return [{ amount: first.amount, ids: first.ids.subarray(ID_BYTES) }, ...grown.slice(1)];
}

export function countIds(groups: readonly IdGroup[]): number {
  let bytes = 0;
  for (const { ids } of groups) bytes += ids.length;
  return bytes / ID_BYTES;
}

/** Calls back for each id that the delta remembers, oldest first. */
export function eachId(groups: readonly IdGroup[], visit: (id: Buffer, amount: bigint) => void): void {
  for (const { amount, ids } of groups) {
    for (let at = 0; at < ids.length; at += ID_BYTES) visit(asBuffer(ids).subarray(at, at + ID_BYTES), amount);
  }
}
