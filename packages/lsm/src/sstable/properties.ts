/**
 * The property bag of a table: names and bytes, sorted by name. Readers keep what they do not know
 * (docs/formats.md "Properties block").
 *
 *   count varint | (name length varint | name | value length varint | value)*
 */
import { readUInt64LE, readVarint, varintLength, writeUInt64LE, writeVarint } from '../encoding.ts';
import { LsmError } from '../errors.ts';

export type PropertyBag = ReadonlyMap<string, Buffer>;

/** On disk. Numbers are u64 little-endian. */
export const PROPERTY_ENTRIES = 'kvd.entries';
export const PROPERTY_DELETES = 'kvd.deletes';
export const PROPERTY_MERGES = 'kvd.merges';
export const PROPERTY_DATA_BLOCKS = 'kvd.data-blocks';
export const PROPERTY_KEY_BYTES = 'kvd.key-bytes';
export const PROPERTY_VALUE_BYTES = 'kvd.value-bytes';
export const PROPERTY_SMALLEST_SEQUENCE = 'kvd.smallest-sequence';
export const PROPERTY_LARGEST_SEQUENCE = 'kvd.largest-sequence';
/** Internal keys. */
export const PROPERTY_SMALLEST = 'kvd.smallest';
export const PROPERTY_LARGEST = 'kvd.largest';

export function encodeProperties(bag: PropertyBag): Buffer {
  const sorted = [...bag].map(([name, value]) => ({ name: Buffer.from(name), value }));
  sorted.sort((a, b) => a.name.compare(b.name));
  const size = sorted.reduce((sum, { name, value }) => sum + sizedLength(name) + sizedLength(value), 0);
  const bytes = Buffer.alloc(varintLength(sorted.length) + size);
  let at = writeVarint(bytes, 0, sorted.length);
  for (const { name, value } of sorted) at = writeSized(bytes, writeSized(bytes, at, name), value);
  return bytes;
}

/** Throws LSM_CORRUPTION. */
export function decodeProperties(bytes: Buffer): PropertyBag {
  const bag = new Map<string, Buffer>();
  const cursor = { at: 0 };
  for (let left = readVarint(bytes, cursor); left > 0; left--) {
    const name = readSized(bytes, cursor).toString();
    bag.set(name, readSized(bytes, cursor));
  }
  if (cursor.at !== bytes.length) throw damaged('has bytes behind its end');
  return bag;
}

export function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  writeUInt64LE(bytes, 0, value);
  return bytes;
}

/** Throws LSM_CORRUPTION when the property is missing or no number. */
export function numberProperty(bag: PropertyBag, name: string): number {
  const value = bytesProperty(bag, name);
  if (value.length !== 8) throw damaged(`${name} is no number`);
  return readUInt64LE(value, 0);
}

/** Throws LSM_CORRUPTION when the property is missing. */
export function bytesProperty(bag: PropertyBag, name: string): Buffer {
  const value = bag.get(name);
  if (value === undefined) throw damaged(`${name} is missing`);
  return value;
}

function sizedLength(bytes: Buffer): number {
  return varintLength(bytes.length) + bytes.length;
}

function writeSized(target: Buffer, at: number, bytes: Buffer): number {
  const start = writeVarint(target, at, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

function readSized(bytes: Buffer, cursor: { at: number }): Buffer {
  const length = readVarint(bytes, cursor);
  const end = cursor.at + length;
  if (end > bytes.length) throw damaged('has a value that runs over its end');
  const part = bytes.subarray(cursor.at, end);
  cursor.at = end;
  return part;
}

function damaged(what: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `properties block: ${what}`, { kind: 'properties' });
}
