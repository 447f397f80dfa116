/**
 * Where a record belongs, and the keys under which the engine keeps it and what goes with it. docs/formats.md "Keys".
 *
 *   engine key   slot u16 | keyspace u16 | generation u32 | family u8 | key escaped, terminated | subkey
 *   address      the same without the family byte: the record's canonical identity between nodes
 *
 * Integers are big-endian, so that memcmp orders by slot first: a slot is one run of keys, and in it each family of
 * each keyspace's generation is one. In an escaped string 0x00 becomes 0x00 0xFF; 0x00 0x01 ends it: order is kept, and
 * no key is a prefix of another.
 */
import { asBuffer } from './encoding.ts';
import { ReplicationError } from './errors.ts';

/** What a key of the engine holds; on disk. */
export const FAMILY = {
  records: 1,
  incoming: 2,
  hints: 3,
  slotHashes: 4,
  slotState: 5,
  /** Of the node itself; only under the pseudo-slot. */
  nodeState: 16,
} as const;
export type Family = (typeof FAMILY)[keyof typeof FAMILY];

export const SLOT_MAX = 16383;
/** Keys under this slot belong to the node, and are no part of the replicated data. */
export const LOCAL_SLOT = 0xffff;
/** Stands in keys of a slot that belong to no keyspace; no keyspace has this id. */
export const NO_KEYSPACE = 0xffff;
const NO_GENERATION = 0xffffffff;

/** Slot, keyspace, generation: the part of an address before the family byte goes in. */
const PLACE_BYTES = 8;
const ESCAPE = 0x00;
const ESCAPED_ZERO = 0xff;
const TERMINATOR = 0x01;

/** The keys of one family of one slot, keyspace and generation begin with this. */
export interface Place {
  readonly slot: number;
  readonly keyspace: number;
  readonly generation: number;
}

export interface RecordAddress extends Place {
  readonly key: Uint8Array;
  /** Empty for a string. */
  readonly subkey: Uint8Array;
}

/** The address's canonical bytes. Throws RangeError for a slot, keyspace or generation out of range. */
export function encodeAddress(address: RecordAddress): Buffer {
  if (!(address.slot <= SLOT_MAX)) throw new RangeError(`slot ${address.slot}`);
  if (!(address.keyspace < NO_KEYSPACE)) throw new RangeError(`keyspace ${address.keyspace}`);
  const target = Buffer.allocUnsafe(PLACE_BYTES + escapedLength(address.key) + address.subkey.length);
  writePlace(target, address);
  target.set(address.subkey, writeEscaped(target, PLACE_BYTES, address.key));
  return target;
}

/** Key and subkey are views of `bytes` where nothing was escaped. Throws REPLICATION_BAD_ADDRESS. */
export function decodeAddress(bytes: Uint8Array): RecordAddress {
  const source = asBuffer(bytes);
  if (source.length < PLACE_BYTES) throw badAddress('is shorter than its fixed part');
  const place = readPlace(source);
  const key = readEscaped(source, PLACE_BYTES);
  return { ...place, key: key.text, subkey: source.subarray(key.end) };
}

/** The slot of an address, of an engine key, or of any prefix of one that has it. */
export function slotOfAddress(bytes: Uint8Array): number {
  return ((bytes[0] as number) << 8) | (bytes[1] as number);
}

/** The engine key of an address in a family; `suffix` is appended as it is. */
export function storageKey(address: Uint8Array, family: Family, suffix?: Uint8Array): Buffer {
  const length = address.length + 1;
  const target = Buffer.allocUnsafe(suffix === undefined ? length : length + suffix.length);
  insertFamily(target, address, family);
  if (suffix !== undefined) target.set(suffix, length);
  return target;
}

function insertFamily(target: Buffer, address: Uint8Array, family: Family): void {
  const source = asBuffer(address);
  source.copy(target, 0, 0, PLACE_BYTES);
  target[PLACE_BYTES] = family;
  source.copy(target, PLACE_BYTES + 1, PLACE_BYTES);
}

/** The inverse of `storageKey` without suffix. Throws REPLICATION_BAD_ADDRESS when the key is not of that family. */
export function addressOfStorageKey(key: Uint8Array, family: Family): Buffer {
  if (key.length <= PLACE_BYTES || key[PLACE_BYTES] !== family) throw badAddress(`is not of family ${family}`);
  const source = asBuffer(key);
  const address = Buffer.allocUnsafe(source.length - 1);
  source.copy(address, 0, 0, PLACE_BYTES);
  source.copy(address, PLACE_BYTES, PLACE_BYTES + 1);
  return address;
}

/**
 * The engine key of a hint: the address with its subkey escaped and terminated too, then the target's id. Hints thus
 * lie by slot and record, so that a record's hints for all targets are found by a scan.
 */
export function hintKey(address: Uint8Array, target: string): Buffer {
  const source = asBuffer(address);
  const keyEnd = endOfEscaped(source, PLACE_BYTES);
  const subkey = source.subarray(keyEnd);
  const id = Buffer.from(target, 'latin1');
  const result = Buffer.allocUnsafe(keyEnd + 1 + escapedLength(subkey) + id.length);
  insertFamily(result, source.subarray(0, keyEnd), FAMILY.hints);
  id.copy(result, writeEscaped(result, keyEnd + 1, subkey));
  return result;
}

/** Throws REPLICATION_BAD_ADDRESS when the key is no hint's. */
export function parseHintKey(key: Uint8Array): { readonly address: Buffer; readonly target: string } {
  const whole = addressOfStorageKey(key, FAMILY.hints);
  const keyEnd = endOfEscaped(whole, PLACE_BYTES);
  const subkey = readEscaped(whole, keyEnd);
  const address = Buffer.concat([whole.subarray(0, keyEnd), subkey.text]);
  return { address, target: whole.toString('latin1', subkey.end) };
}

/** All hints of one record begin with this. */
export function hintPrefix(address: Uint8Array): Buffer {
  return hintKey(address, '');
}

/** All keys of one family in one slot, keyspace and generation begin with this. */
export function familyPrefix(place: Place, family: Family): Buffer {
  const target = Buffer.allocUnsafe(PLACE_BYTES + 1);
  writePlace(target, place);
  target[PLACE_BYTES] = family;
  return target;
}

/** All keys of a slot begin with this. */
export function slotPrefix(slot: number): Buffer {
  const target = Buffer.allocUnsafe(2);
  target.writeUInt16BE(slot, 0);
  return target;
}

/**
 * The first key behind all that begin with `prefix`, or undefined when nothing can be behind them (all bytes are 0xFF).
 */
export function prefixEnd(prefix: Uint8Array): Buffer | undefined {
  for (let length = prefix.length; length > 0; length--) {
    if (prefix[length - 1] === 0xff) continue;
    const end = Buffer.from(prefix.subarray(0, length));
    end[length - 1] = (end[length - 1] as number) + 1;
    return end;
  }
  return undefined;
}

/**
 * The leaf of one replica group (its N) in a slot, for one keyspace's generation; the slot's leaf is their sum. Kept
 * apart so that dropping a generation drops its part of the leaf by the same range.
 */
export function slotHashKey(place: Place, group: number): Buffer {
  const target = Buffer.allocUnsafe(PLACE_BYTES + 2);
  writePlace(target, place);
  target[PLACE_BYTES] = FAMILY.slotHashes;
  target.writeUInt8(group, PLACE_BYTES + 1);
  return target;
}

/** What the node keeps about a slot as a whole, by an ASCII name. */
export function slotStateKey(slot: number, name: string): Buffer {
  return namedKey(
    { slot, keyspace: NO_KEYSPACE, generation: NO_GENERATION },
    FAMILY.slotState,
    Buffer.from(name, 'latin1'),
  );
}

/** What the node keeps about itself. */
export function localKey(family: Family, name: Uint8Array): Buffer {
  return namedKey({ slot: LOCAL_SLOT, keyspace: 0, generation: 0 }, family, name);
}

function namedKey(place: Place, family: Family, name: Uint8Array): Buffer {
  return Buffer.concat([familyPrefix(place, family), name]);
}

function writePlace(target: Buffer, place: Place): void {
  target.writeUInt16BE(place.slot, 0);
  target.writeUInt16BE(place.keyspace, 2);
  target.writeUInt32BE(place.generation, 4);
}

function readPlace(source: Buffer): Place {
  const slot = source.readUInt16BE(0);
  const keyspace = source.readUInt16BE(2);
  if (slot > SLOT_MAX) throw badAddress(`names slot ${slot}`);
  if (keyspace === NO_KEYSPACE) throw badAddress('names no keyspace');
  return { slot, keyspace, generation: source.readUInt32BE(4) };
}

function escapedLength(text: Uint8Array): number {
  let length = text.length + 2;
  for (let at = text.indexOf(ESCAPE); at >= 0; at = text.indexOf(ESCAPE, at + 1)) length++;
  return length;
}

/** Returns the offset behind the terminator. */
function writeEscaped(target: Buffer, at: number, text: Uint8Array): number {
  let from = 0;
  for (let zero = text.indexOf(ESCAPE); zero >= 0; zero = text.indexOf(ESCAPE, from)) {
    target.set(text.subarray(from, zero + 1), at);
    at += zero + 1 - from;
    target[at++] = ESCAPED_ZERO;
    from = zero + 1;
  }
  target.set(from === 0 ? text : text.subarray(from), at);
  at += text.length - from;
  target[at] = ESCAPE;
  target[at + 1] = TERMINATOR;
  return at + 2;
}

/** The offset behind the terminator of the escaped string that begins at `from`. */
function endOfEscaped(source: Buffer, from: number): number {
  for (let zero = source.indexOf(ESCAPE, from); zero >= 0; zero = source.indexOf(ESCAPE, zero + 2)) {
    const next = source[zero + 1];
    if (next === TERMINATOR) return zero + 2;
    if (next !== ESCAPED_ZERO) break;
  }
  throw badAddress('has a key that is not escaped or not terminated');
}

function readEscaped(source: Buffer, from: number): { readonly text: Buffer; readonly end: number } {
  const end = endOfEscaped(source, from);
  const escaped = source.subarray(from, end - 2);
  return { text: escaped.includes(ESCAPE) ? withoutEscapes(escaped) : escaped, end };
}

function withoutEscapes(escaped: Buffer): Buffer {
  const text = Buffer.allocUnsafe(escaped.length);
  let length = 0;
  for (let at = 0; at < escaped.length; at++) {
    const byte = escaped[at] as number;
    text[length++] = byte;
    if (byte === ESCAPE) at++;
  }
  return text.subarray(0, length);
}

function badAddress(what: string): ReplicationError {
  return new ReplicationError('REPLICATION_BAD_ADDRESS', `address ${what}`);
}
