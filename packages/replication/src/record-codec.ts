/**
 * The canonical bytes of a record: equal records are equal bytes, and no other bytes decode. docs/formats.md "Records".
 *
 *   header   format u8 | type u8 | context | count | per value: dot, flags, hybrid time, checksum, length, …
 *   body     the values' bytes, in the order of the header
 *
 * A dot is an index into the context and how far its counter is below the context's: a dot that its context does not
 * cover cannot be written. All that replicas must agree on is in the header, which is what anti-entropy hashes; whether
 * expired bytes were stripped is each replica's own affair, and is told in the body.
 */
import { crc32 } from './checksum.ts';
import { decodeDelta } from './crdt/delta.ts';
import type { Dot } from './dot.ts';
import { ByteReader, varintLength, writeUint64, writeVarint } from './encoding.ts';
import { type Deadline, type DottedRecord, type DottedValue, RECORD_TYPE_STRING } from './record.ts';
import { VersionVector } from './version-vector.ts';

// On disk and on the wire.
const FORMAT = 1;
const FLAG_TOMBSTONE = 1;
const FLAG_DEADLINES = 2;
const FLAG_EXTENSIONS = 4;
const FLAG_DELTA = 8;
const FLAGS_KNOWN = 15;
const BODY_HELD = 0;
const BODY_STRIPPED = 1;

/** Format, type. */
const PREFIX_BYTES = 2;
/** Index, delta, flags, hybrid time: of the shortest value, a tombstone. */
const VALUE_BYTES_MIN = 11;
/** Index, delta, time. */
const DEADLINE_BYTES_MIN = 3;
const NO_DEADLINES: readonly Deadline[] = [];

/** The record's one encoding. */
export function encodeRecord(record: DottedRecord): Buffer {
  const { context, values } = record;
  let length = PREFIX_BYTES + context.encodedLength + varintLength(values.length);
  for (const value of values) length += headerLengthOf(value, context) + bodyLengthOf(value);
  const target = Buffer.allocUnsafe(length);
  target[0] = FORMAT;
  target[1] = record.type;
  let at = context.writeTo(target, PREFIX_BYTES);
  at = writeVarint(target, at, values.length);
  for (const value of values) at = writeHeader(target, at, value, context);
  for (const value of values) at = writeBody(target, at, value);
  return target;
}

function dotLength(dot: Dot, context: VersionVector): number {
  const index = context.indexOf(dot.actor);
  return varintLength(index) + varintLength(context.counterAt(index) - dot.counter);
}

function headerLengthOf(value: DottedValue, context: VersionVector): number {
  let length = dotLength(value.dot, context) + 9;
  if (!value.tombstone) length += 4 + varintLength(value.lengthBytes);
  if (value.deadlines.length > 0) {
    length += varintLength(value.deadlines.length);
    for (const { dot, atMs } of value.deadlines) length += dotLength(dot, context) + varintLength(atMs);
  }
  if (value.extensions !== undefined) length += varintLength(value.extensions.length) + value.extensions.length;
  return length;
}

function bodyLengthOf(value: DottedValue): number {
  return (value.deadlines.length > 0 ? 1 : 0) + (value.bytes === undefined ? 0 : value.lengthBytes);
}

function writeDot(target: Buffer, at: number, dot: Dot, context: VersionVector): number {
  const index = context.indexOf(dot.actor);
  at = writeVarint(target, at, index);
  return writeVarint(target, at, context.counterAt(index) - dot.counter);
}

function writeHeader(target: Buffer, at: number, value: DottedValue, context: VersionVector): number {
  const { tombstone, delta, deadlines, extensions } = value;
  at = writeDot(target, at, value.dot, context);
  target[at++] =
    (tombstone ? FLAG_TOMBSTONE : 0) |
    (deadlines.length > 0 ? FLAG_DEADLINES : 0) |
    (extensions === undefined ? 0 : FLAG_EXTENSIONS) |
    (delta ? FLAG_DELTA : 0);
  at = writeUint64(target, at, value.hybridTime);
  if (!tombstone) {
    at = target.writeUInt32BE(value.checksum, at);
    at = writeVarint(target, at, value.lengthBytes);
  }
  if (deadlines.length > 0) {
    at = writeVarint(target, at, deadlines.length);
    for (const { dot, atMs } of deadlines) at = writeVarint(target, writeDot(target, at, dot, context), atMs);
  }
  if (extensions === undefined) return at;
  at = writeVarint(target, at, extensions.length);
  target.set(extensions, at);
  return at + extensions.length;
}

function writeBody(target: Buffer, at: number, value: DottedValue): number {
  if (value.deadlines.length > 0) target[at++] = value.bytes === undefined ? BODY_STRIPPED : BODY_HELD;
  if (value.bytes === undefined) return at;
  target.set(value.bytes, at);
  return at + value.lengthBytes;
}

/** A value before its bytes are known. */
type MutableValue = { -readonly [K in keyof DottedValue]: DottedValue[K] };

/**
 * The record in these bytes. The values' bytes are views: whoever keeps them keeps `bytes`, and must not reuse it.
 * Throws REPLICATION_BAD_RECORD for all that `encodeRecord` would not have written, and for a value that is not what
 * was checksummed.
 */
export function decodeRecord(bytes: Uint8Array): DottedRecord {
  return decode(bytes, true);
}

/**
 * The same without computing the values' checksums: for bytes that the engine has just read from a checksummed block or
 * holds in memory.
 */
export function decodeTrustedRecord(bytes: Uint8Array): DottedRecord {
  return decode(bytes, false);
}

function decode(bytes: Uint8Array, verify: boolean): DottedRecord {
  const reader = new ByteReader(bytes, 'REPLICATION_BAD_RECORD');
  const context = readPrefix(reader);
  const values = readHeaders(reader, context);
  for (const value of values) readBody(reader, value, verify);
  reader.end();
  return { type: RECORD_TYPE_STRING, context, values };
}

/** The context alone: what a coordinator wants of another replica. Only the bytes up to there are checked. */
export function decodeRecordContext(bytes: Uint8Array): VersionVector {
  return readPrefix(new ByteReader(bytes, 'REPLICATION_BAD_RECORD'));
}

/** The part of the record that replicas agree on: all but the values' bytes. A view. */
export function recordHeaderBytes(bytes: Uint8Array): Buffer {
  const reader = new ByteReader(bytes, 'REPLICATION_BAD_RECORD');
  readHeaders(reader, readPrefix(reader));
  return reader.bytes.subarray(0, reader.at);
}

function readPrefix(reader: ByteReader): VersionVector {
  const format = reader.uint8();
  if (format !== FORMAT) reader.fail(`record format ${format}, known is ${FORMAT}`);
  const type = reader.uint8();
  if (type !== RECORD_TYPE_STRING) reader.fail(`record type ${type}, known is ${RECORD_TYPE_STRING}`);
  return VersionVector.read(reader);
}

function readHeaders(reader: ByteReader, context: VersionVector): MutableValue[] {
  const count = reader.count(VALUE_BYTES_MIN);
  if (count === 0) reader.fail('a record without values');
  const values: MutableValue[] = [];
  let previous: Dot | undefined;
  for (let i = 0; i < count; i++) {
    const dot = readDot(reader, context, previous);
    values.push(readHeader(reader, context, dot));
    previous = dot;
  }
  return values;
}

/** Dots of a list ascend strictly, so that a set of them has one encoding. */
function readDot(reader: ByteReader, context: VersionVector, previous: Dot | undefined): Dot {
  const index = reader.varint();
  if (index >= context.size) reader.fail('the actor of a dot is not in the context');
  const counter = context.counterAt(index) - reader.varint();
  if (counter < 1) reader.fail('the counter of a dot is below 1');
  const actor = context.actorAt(index);
  if (previous !== undefined && (actor < previous.actor || (actor === previous.actor && counter <= previous.counter))) {
    reader.fail('dots do not ascend');
  }
  return { actor, counter };
}

function readHeader(reader: ByteReader, context: VersionVector, dot: Dot): MutableValue {
  const flags = reader.uint8();
  if (flags > FLAGS_KNOWN) reader.fail(`unknown flags ${flags}`);
  const tombstone = (flags & FLAG_TOMBSTONE) !== 0;
  const hasDeadlines = (flags & FLAG_DEADLINES) !== 0;
  if (tombstone && hasDeadlines) reader.fail('a tombstone with a deadline');
  const delta = (flags & FLAG_DELTA) !== 0;
  if (tombstone && delta) reader.fail('a tombstone that is a delta');
  return {
    dot,
    hybridTime: reader.uint64(),
    tombstone,
    delta,
    checksum: tombstone ? 0 : reader.uint32(),
    lengthBytes: tombstone ? 0 : reader.varint(),
    deadlines: hasDeadlines ? readDeadlines(reader, context) : NO_DEADLINES,
    extensions: (flags & FLAG_EXTENSIONS) !== 0 ? readExtensions(reader) : undefined,
    bytes: undefined,
  };
}

function readDeadlines(reader: ByteReader, context: VersionVector): readonly Deadline[] {
  const count = reader.count(DEADLINE_BYTES_MIN);
  if (count === 0) reader.fail('an empty list of deadlines');
  const deadlines: Deadline[] = [];
  let previous: Dot | undefined;
  for (let i = 0; i < count; i++) {
    const dot = readDot(reader, context, previous);
    deadlines.push({ dot, atMs: reader.varint() });
    previous = dot;
  }
  return deadlines;
}

/** A bag of (tag, length, bytes) by ascending tag, not empty. What the tags mean is not for this version to say. */
function readExtensions(reader: ByteReader): Uint8Array {
  const bag = reader.sized();
  if (bag.length === 0) reader.fail('an empty bag of extensions');
  const inner = new ByteReader(bag, 'REPLICATION_BAD_RECORD');
  let previous = -1;
  while (inner.remaining > 0) {
    const tag = inner.varint();
    if (tag <= previous) inner.fail('extension tags do not ascend');
    previous = tag;
    inner.sized();
  }
  return bag;
}

function readBody(reader: ByteReader, value: MutableValue, verify: boolean): void {
  if (value.tombstone) return;
  if (value.deadlines.length > 0) {
    const state = reader.uint8();
    if (state === BODY_STRIPPED && !value.delta) return;
    if (state !== BODY_HELD) reader.fail(`unknown state ${state} of a value's bytes`);
  }
  value.bytes = reader.view(value.lengthBytes);
  if (!verify) return;
  if (crc32(value.bytes) !== value.checksum) reader.fail('a value does not match its checksum');
  if (value.delta) decodeDelta(value.bytes);
}
