/**
 * The parts that several messages share, in bytes. docs/protocol.md "Messages", "Shared parts".
 *
 * A choice of words is one byte, its index in the lists below: on the wire, so words are only ever appended.
 */
import type { ByteReader, ByteWriter } from './encoding.ts';
import type { Consistency, Hash128, MemberDigest, NodeId, ReplicaItem, RequestHeader } from './messages.ts';

export const DURABILITIES = ['memory', 'os', 'sync'] as const;
export const PURPOSES = ['write', 'repair', 'handoff', 'exchange'] as const;
const MODES = ['sloppy', 'strict'] as const;
const MEMBER_STATES = ['alive', 'suspect', 'dead', 'left'] as const;

const NODE_ID_BYTES_MAX = 32;
const NODE_ID = /^[A-Za-z0-9._-]{1,32}$/;
const U16_MAX = 0xffff;
const HASH_BYTES = 16;

export function writeChoice(writer: ByteWriter, words: readonly string[], word: string): void {
  const index = words.indexOf(word);
  if (index < 0) throw new TypeError(`'${word}' is none of ${words.join(', ')}`);
  writer.uint8(index);
}

export function readChoice<T extends string>(reader: ByteReader, words: readonly T[]): T {
  const index = reader.uint8();
  return words[index] ?? reader.fail(`choice ${index} of ${words.length}`);
}

export function writeFlag(writer: ByteWriter, flag: boolean): void {
  writer.uint8(flag ? 1 : 0);
}

export function readFlag(reader: ByteReader): boolean {
  const value = reader.uint8();
  if (value > 1) reader.fail(`flag of ${value}`);
  return value === 1;
}

export function readU16(reader: ByteReader): number {
  const value = reader.varint();
  if (value > U16_MAX) reader.fail(`${value} where a u16 is due`);
  return value;
}

/** A duration on the wire is whole milliseconds; what is past is 0. */
export function writeMillis(writer: ByteWriter, millis: number): void {
  writer.varint(Math.max(0, Math.floor(millis)));
}

export function readNodeId(reader: ByteReader): NodeId {
  const length = reader.uint8();
  if (length === 0 || length > NODE_ID_BYTES_MAX) reader.fail(`a node id of ${length} bytes`);
  const id = reader.latin1(length);
  if (!NODE_ID.test(id)) reader.fail('a character that no node id has');
  return id;
}

export function writeNodeId(writer: ByteWriter, id: NodeId): void {
  if (!NODE_ID.test(id)) throw new TypeError(`'${id}' is no node id`);
  writer.uint8(id.length);
  writer.latin1(id);
}

export function writeHeader(writer: ByteWriter, header: RequestHeader): void {
  writeNodeId(writer, header.id.entry);
  writer.varint(header.id.incarnation);
  writer.varint(header.id.n);
  writeMillis(writer, header.remainingMs);
  writer.varint(header.ringEpoch);
  writer.varint(header.slotPhase);
  writer.varint(header.keyspace);
  writer.varint(header.keyspaceVersion);
  writer.varint(header.traceId);
}

export function readHeader(reader: ByteReader): RequestHeader {
  return {
    id: { entry: readNodeId(reader), incarnation: reader.varint(), n: reader.varint() },
    remainingMs: reader.varint(),
    ringEpoch: reader.varint(),
    slotPhase: reader.varint(),
    keyspace: readU16(reader),
    keyspaceVersion: reader.varint(),
    traceId: reader.varint(),
  };
}

export function writeConsistency(writer: ByteWriter, consistency: Consistency): void {
  const { n, r, w, pr, pw, dw } = consistency;
  for (const count of [n, r, w, pr, pw, dw]) writer.varint(count);
  writeChoice(writer, MODES, consistency.mode);
  writeChoice(writer, DURABILITIES, consistency.durability);
  writeMillis(writer, consistency.timeoutMs);
}

export function readConsistency(reader: ByteReader): Consistency {
  return {
    n: reader.varint(),
    r: reader.varint(),
    w: reader.varint(),
    pr: reader.varint(),
    pw: reader.varint(),
    dw: reader.varint(),
    mode: readChoice(reader, MODES),
    durability: readChoice(reader, DURABILITIES),
    timeoutMs: reader.varint(),
  };
}

/** Many of one kind: a count, then each. */
export function writeList<T>(
  writer: ByteWriter,
  items: readonly T[],
  write: (writer: ByteWriter, item: T) => void,
): void {
  writer.varint(items.length);
  for (const item of items) write(writer, item);
}

/** `bytesEach`: of the shortest item, so that a false count is found before anything is made. */
export function readList<T>(reader: ByteReader, bytesEach: number, read: (reader: ByteReader) => T): T[] {
  const items: T[] = [];
  for (let left = reader.count(bytesEach); left > 0; left--) items.push(read(reader));
  return items;
}

export function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.sized(bytes);
}

export function readBytes(reader: ByteReader): Uint8Array {
  return reader.sized();
}

export function writeItem(writer: ByteWriter, item: ReplicaItem): void {
  writer.sized(item.address);
  writer.sized(item.record);
}

export function readItem(reader: ByteReader): ReplicaItem {
  return { address: reader.sized(), record: reader.sized() };
}

/** Four u32, little-endian as in a stored leaf. */
export function writeHash(writer: ByteWriter, hash: Hash128): void {
  for (const lane of hash) writer.uint32LE(lane);
}

export function readHash(reader: ByteReader): Hash128 {
  const bytes = reader.view(HASH_BYTES);
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
}

export function writeMember(writer: ByteWriter, member: MemberDigest): void {
  writeNodeId(writer, member.id);
  writer.text(member.host);
  writer.uint16(member.port);
  writer.uint16(member.peerPort);
  writer.varint(member.incarnation);
  writer.varint(member.heartbeat);
  writeChoice(writer, MEMBER_STATES, member.state);
  writeList(writer, member.suspectedBy, writeNodeId);
  writer.text(member.health);
}

export function readMember(reader: ByteReader): MemberDigest {
  return {
    id: readNodeId(reader),
    host: reader.text(),
    port: reader.uint16(),
    peerPort: reader.uint16(),
    incarnation: reader.varint(),
    heartbeat: reader.varint(),
    state: readChoice(reader, MEMBER_STATES),
    suspectedBy: readList(reader, 2, readNodeId),
    health: reader.text(),
  };
}

export interface LeafEntry {
  readonly slot: number;
  readonly leaf: Hash128;
}

export function writeLeaf(writer: ByteWriter, entry: LeafEntry): void {
  writer.varint(entry.slot);
  writeHash(writer, entry.leaf);
}

export function readLeaf(reader: ByteReader): LeafEntry {
  return { slot: readU16(reader), leaf: readHash(reader) };
}

export interface KeyEntry {
  readonly address: Uint8Array;
  readonly hash: Hash128;
}

export function writeKey(writer: ByteWriter, entry: KeyEntry): void {
  writer.sized(entry.address);
  writeHash(writer, entry.hash);
}

export function readKey(reader: ByteReader): KeyEntry {
  return { address: reader.sized(), hash: readHash(reader) };
}
