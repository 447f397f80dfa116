/**
 * Messages in bytes: the payload of a frame, whose type says which message it is. docs/protocol.md "Messages".
 *
 *   hybrid time u64 | fields of the message | extensions: count, count × (tag, length, bytes)
 *
 * A receiver skips extensions that it does not know; what must be understood needs a capability in the handshake. The
 * decoder takes nothing on trust: every count and length is held against the bytes that are there, every choice against
 * its list, and nothing may be left over.
 */
import { ByteReader, ByteWriter } from './encoding.ts';
import { ReplicationError } from './errors.ts';
import type { HybridTime } from './hybrid-clock.ts';
import {
  type Extension,
  extendForwardReply,
  forwardReplyExtensions,
  readExtensions,
  writeExtensions,
} from './message-extensions.ts';
import { sizeHint } from './message-size.ts';
import {
  DURABILITIES,
  PURPOSES,
  readBytes,
  readChoice,
  readConsistency,
  readFlag,
  readHash,
  readHeader,
  readItem,
  readKey,
  readLeaf,
  readList,
  readMember,
  readNodeId,
  readU16,
  writeBytes,
  writeChoice,
  writeConsistency,
  writeFlag,
  writeHash,
  writeHeader,
  writeItem,
  writeKey,
  writeLeaf,
  writeList,
  writeMember,
  writeNodeId,
} from './message-fields.ts';
import type { Message, ScannedRecord } from './messages.ts';
import { readOperation, readOutcome, writeOperation, writeOutcome } from './operation-codec.ts';

type Kind = Message['kind'];
type MessageOf<K extends Kind> = Extract<Message, { readonly kind: K }>;

interface Codec<K extends Kind> {
  /** Type of the frame; on the wire. */
  readonly type: number;
  write(writer: ByteWriter, message: MessageOf<K>): void;
  read(reader: ByteReader): MessageOf<K>;
  /** Absent: this version writes none. */
  extensions?(message: MessageOf<K>): readonly Extension[];
  /** The message with what an extension says; itself when the tag is not known. Throws for what is malformed. */
  extend?(message: MessageOf<K>, tag: number, reader: ByteReader): MessageOf<K>;
}

const STATUSES = ['ok', 'refused'] as const;
const STORE_STATUSES = ['stored', 'refused'] as const;
const ROLES = ['owner', 'fallback'] as const;

/** Lengths of the shortest elements of lists. */
const ITEM_BYTES_MIN = 2;
const MEMBER_BYTES_MIN = 12;
const LEAF_ENTRY_BYTES_MIN = 17;
const KEY_ENTRY_BYTES_MIN = 17;
const RECORD_ENTRY_BYTES_MIN = 1;
const SCANNED_BYTES_MIN = 19;

/** 1 to 15 and 30 to 0xEF are free for messages to come; the rest is the transport's own. */
const CODECS: { readonly [K in Kind]: Codec<K> } = {
  forward: {
    type: 16,
    write(writer, message) {
      writer.varint(message.stream);
      writeHeader(writer, message.header);
      writeConsistency(writer, message.consistency);
      writer.sized(message.address);
      writeOperation(writer, message.operation);
    },
    read: (reader) => ({
      kind: 'forward',
      stream: reader.varint(),
      header: readHeader(reader),
      consistency: readConsistency(reader),
      address: reader.sized(),
      operation: readOperation(reader),
    }),
  },
  'forward-reply': {
    type: 17,
    write(writer, message) {
      writer.varint(message.stream);
      writeOutcome(writer, message.outcome);
    },
    read: (reader) => ({ kind: 'forward-reply', stream: reader.varint(), outcome: readOutcome(reader) }),
    extensions: forwardReplyExtensions,
    extend: extendForwardReply,
  },
  replicate: {
    type: 18,
    write(writer, message) {
      writer.varint(message.stream);
      writeHeader(writer, message.header);
      writeChoice(writer, PURPOSES, message.purpose);
      writeFlag(writer, message.hintFor !== undefined);
      if (message.hintFor !== undefined) writeNodeId(writer, message.hintFor);
      writeChoice(writer, DURABILITIES, message.durability);
      writeList(writer, message.items, writeItem);
    },
    read: (reader) => ({
      kind: 'replicate',
      stream: reader.varint(),
      header: readHeader(reader),
      purpose: readChoice(reader, PURPOSES),
      hintFor: readFlag(reader) ? readNodeId(reader) : undefined,
      durability: readChoice(reader, DURABILITIES),
      items: readList(reader, ITEM_BYTES_MIN, readItem),
    }),
  },
  'replicate-reply': {
    type: 19,
    write(writer, message) {
      writer.varint(message.stream);
      writeChoice(writer, STORE_STATUSES, message.status);
      writer.text(message.reason);
    },
    read: (reader) => ({
      kind: 'replicate-reply',
      stream: reader.varint(),
      status: readChoice(reader, STORE_STATUSES),
      reason: reader.text(),
    }),
  },
  fetch: {
    type: 20,
    write(writer, message) {
      writer.varint(message.stream);
      writeHeader(writer, message.header);
      writeList(writer, message.addresses, writeBytes);
    },
    read: (reader) => ({
      kind: 'fetch',
      stream: reader.varint(),
      header: readHeader(reader),
      addresses: readList(reader, 1, readBytes),
    }),
  },
  'fetch-reply': {
    type: 21,
    write(writer, message) {
      writer.varint(message.stream);
      writeChoice(writer, STATUSES, message.status);
      writer.text(message.reason);
      writeChoice(writer, ROLES, message.role);
      writeFlag(writer, message.doubt);
      writeList(writer, message.records, writeRecordOrAbsent);
    },
    read: (reader) => ({
      kind: 'fetch-reply',
      stream: reader.varint(),
      status: readChoice(reader, STATUSES),
      reason: reader.text(),
      role: readChoice(reader, ROLES),
      doubt: readFlag(reader),
      records: readList(reader, RECORD_ENTRY_BYTES_MIN, readRecordOrAbsent),
    }),
  },
  gossip: {
    type: 22,
    write(writer, message) {
      writer.varint(message.stream);
      writeList(writer, message.members, writeMember);
    },
    read: (reader) => ({
      kind: 'gossip',
      stream: reader.varint(),
      members: readList(reader, MEMBER_BYTES_MIN, readMember),
    }),
  },
  'gossip-reply': {
    type: 23,
    write(writer, message) {
      writer.varint(message.stream);
      writeList(writer, message.members, writeMember);
    },
    read: (reader) => ({
      kind: 'gossip-reply',
      stream: reader.varint(),
      members: readList(reader, MEMBER_BYTES_MIN, readMember),
    }),
  },
  'exchange-leaves': {
    type: 24,
    write(writer, message) {
      writer.varint(message.stream);
      writer.varint(message.ringEpoch);
      writer.varint(message.group);
      writer.varint(message.fromSlot);
      writer.varint(message.toSlot);
      writeList(writer, message.leaves, writeLeaf);
    },
    read: (reader) => ({
      kind: 'exchange-leaves',
      stream: reader.varint(),
      ringEpoch: reader.varint(),
      group: reader.varint(),
      fromSlot: readU16(reader),
      toSlot: readU16(reader),
      leaves: readList(reader, LEAF_ENTRY_BYTES_MIN, readLeaf),
    }),
  },
  'exchange-leaves-reply': {
    type: 25,
    write(writer, message) {
      writer.varint(message.stream);
      writeChoice(writer, STATUSES, message.status);
      writeList(writer, message.differing, (each, slot) => each.varint(slot));
    },
    read: (reader) => ({
      kind: 'exchange-leaves-reply',
      stream: reader.varint(),
      status: readChoice(reader, STATUSES),
      differing: readList(reader, 1, readU16),
    }),
  },
  'exchange-keys': {
    type: 26,
    write(writer, message) {
      writer.varint(message.stream);
      writer.varint(message.ringEpoch);
      writer.varint(message.group);
      writer.varint(message.slot);
      writer.sized(message.after);
      writer.sized(message.until);
      writeList(writer, message.keys, writeKey);
    },
    read: (reader) => ({
      kind: 'exchange-keys',
      stream: reader.varint(),
      ringEpoch: reader.varint(),
      group: reader.varint(),
      slot: readU16(reader),
      after: reader.sized(),
      until: reader.sized(),
      keys: readList(reader, KEY_ENTRY_BYTES_MIN, readKey),
    }),
  },
  'exchange-keys-reply': {
    type: 27,
    write(writer, message) {
      writer.varint(message.stream);
      writeChoice(writer, STATUSES, message.status);
      writeList(writer, message.wanted, writeBytes);
      writeList(writer, message.items, writeItem);
      writer.sized(message.covered);
    },
    read: (reader) => ({
      kind: 'exchange-keys-reply',
      stream: reader.varint(),
      status: readChoice(reader, STATUSES),
      wanted: readList(reader, 1, readBytes),
      items: readList(reader, ITEM_BYTES_MIN, readItem),
      covered: reader.sized(),
    }),
  },
  scan: {
    type: 28,
    write(writer, message) {
      writer.varint(message.stream);
      writeHeader(writer, message.header);
      writer.varint(message.fromSlot);
      writer.varint(message.toSlot);
      writer.sized(message.after);
      writer.varint(message.limit);
    },
    read: (reader) => ({
      kind: 'scan',
      stream: reader.varint(),
      header: readHeader(reader),
      fromSlot: readU16(reader),
      toSlot: readU16(reader),
      after: reader.sized(),
      limit: reader.varint(),
    }),
  },
  'scan-reply': {
    type: 29,
    write(writer, message) {
      writer.varint(message.stream);
      writeChoice(writer, STATUSES, message.status);
      writeFlag(writer, message.doubt);
      writeList(writer, message.records, writeScanned);
      writer.sized(message.covered);
    },
    read: (reader) => ({
      kind: 'scan-reply',
      stream: reader.varint(),
      status: readChoice(reader, STATUSES),
      doubt: readFlag(reader),
      records: readList(reader, SCANNED_BYTES_MIN, readScanned),
      covered: reader.sized(),
    }),
  },
};

/** Bits of a scanned record; on the wire. */
const SCANNED_LIVE = 1;
const SCANNED_EXPIRES = 2;

function writeScanned(writer: ByteWriter, { address, hash, live, expires, type }: ScannedRecord): void {
  writer.sized(address);
  writeHash(writer, hash);
  writer.uint8((live ? SCANNED_LIVE : 0) | (expires ? SCANNED_EXPIRES : 0));
  writer.uint8(type);
}

function readScanned(reader: ByteReader): ScannedRecord {
  const address = reader.sized();
  const hash = readHash(reader);
  const flags = reader.uint8();
  if (flags > (SCANNED_LIVE | SCANNED_EXPIRES)) {
    throw new ReplicationError('REPLICATION_BAD_MESSAGE', `flags ${flags} of a scanned record are unknown`);
  }
  const type = reader.uint8();
  return { address, hash, live: (flags & SCANNED_LIVE) !== 0, expires: (flags & SCANNED_EXPIRES) !== 0, type };
}

/** A codec that was found by the message's own kind, or by its type. */
type AnyCodec = Codec<Kind>;

const BY_TYPE = new Map<number, AnyCodec>(Object.values(CODECS).map((codec) => [codec.type, codec as AnyCodec]));

/** The type of the frame that carries this message. */
export function messageType(message: Message): number {
  return CODECS[message.kind].type;
}

/** The payload. `hybridTime`: the sender's, now. */
export function encodeMessage(message: Message, hybridTime: HybridTime): Buffer {
  const writer = new ByteWriter(sizeHint(message));
  writer.uint64(hybridTime);
  const codec = CODECS[message.kind] as AnyCodec;
  codec.write(writer, message);
  if (codec.extensions === undefined) writer.varint(0);
  else writeExtensions(writer, codec.extensions(message));
  return writer.finish();
}

/**
 * The message in a frame's payload. Byte strings are views: the payload must not be reused while the message lives.
 * Throws REPLICATION_BAD_MESSAGE, also for a type that is no message's.
 */
export function decodeMessage(type: number, payload: Uint8Array): { message: Message; hybridTime: HybridTime } {
  const codec = BY_TYPE.get(type);
  if (codec === undefined) throw new ReplicationError('REPLICATION_BAD_MESSAGE', `frame type ${type} is no message`);
  const reader = new ByteReader(payload, 'REPLICATION_BAD_MESSAGE');
  const hybridTime = reader.uint64();
  const message = readExtensions(reader, codec.read(reader), codec.extend);
  reader.end();
  return { message, hybridTime };
}

function writeRecordOrAbsent(writer: ByteWriter, record: Uint8Array | undefined): void {
  writeFlag(writer, record !== undefined);
  if (record !== undefined) writer.sized(record);
}

function readRecordOrAbsent(reader: ByteReader): Uint8Array | undefined {
  return readFlag(reader) ? reader.sized() : undefined;
}
