/**
 * The bytes of a frame: docs/protocol.md "Frames" is normative. All integers are big-endian.
 *
 *     0        4       6      7       8          12       16       20
 *     | crc32  | magic | type | flags | length   | stream | credit | payload …
 *              '------- the checksum covers this and the payload ------------'
 *
 * The checksum comes first so that what it covers is one piece: one call per frame.
 *
 * A message longer than CHUNK_BYTES travels as several frames of one stream, its parts; each part's payload begins with its
 * index and the length of the whole message, so that a lost, repeated or foreign part can be told at once.
 */
import { checksum } from './checksum.ts';

/** 'kv'. */
export const FRAME_MAGIC = 0x6b76;
export const FRAME_HEADER_BYTES = 20;
/** The most that one frame carries of a message: a big message holds up a small one for no longer than this takes. */
export const CHUNK_BYTES = 256 * 1024;
/** Index u32, length of the message u32. */
export const PART_HEADER_BYTES = 8;
export const FRAME_PAYLOAD_BYTES_MAX = CHUNK_BYTES + PART_HEADER_BYTES;
/** The largest value and what goes with it in a message. */
export const MESSAGE_BYTES_MAX = 65 * 1024 * 1024;

export const FLAG_MORE = 1;
/** Reserved: a peer that sends it without having negotiated it is closed. */
export const FLAG_COMPRESSED = 2;
export const FLAG_PART = 4;

/** Types from here on belong to the connection; those below, from 1, are messages (message-codec.ts). */
export const CONTROL_TYPE_FIRST = 0xf0;
export const TYPE_HELLO = 0xf0;
export const TYPE_REFUSAL = 0xf1;
export const TYPE_PING = 0xf2;
export const TYPE_PONG = 0xf3;
export const TYPE_PROOF = 0xf4;

/** Stream of the frames of the connection itself. */
export const CONTROL_STREAM = 0;

/** Offsets in a frame. */
export const FRAME = { crc: 0, magic: 4, type: 6, flags: 7, length: 8, stream: 12, credit: 16 } as const;

/** A frame of the connection itself, ready to write. */
export function controlFrame(type: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  frame.set(payload, FRAME_HEADER_BYTES);
  sealFrame(frame, 0, { type, flags: 0, stream: CONTROL_STREAM, payloadBytes: payload.length });
  return frame;
}

/** Bytes that a message takes as one frame. */
export function wholeFrameBytes(payload: Uint8Array): number {
  return FRAME_HEADER_BYTES + payload.length;
}

/** Writes a message of at most CHUNK_BYTES as one frame; returns the offset behind it. */
export function writeWhole(target: Buffer, at: number, type: number, stream: number, payload: Uint8Array): number {
  target.set(payload, at + FRAME_HEADER_BYTES);
  return sealFrame(target, at, { type, flags: 0, stream, payloadBytes: payload.length });
}

/** Number of parts of a message that is longer than CHUNK_BYTES. */
export function partCount(messageBytes: number): number {
  return Math.ceil(messageBytes / CHUNK_BYTES);
}

/** Bytes of the message that part `index` carries. */
export function partBytes(messageBytes: number, index: number): number {
  return Math.min(CHUNK_BYTES, messageBytes - index * CHUNK_BYTES);
}

/** Writes part `index` of a message; returns the offset behind the frame. */
export function writePart(
  target: Buffer,
  at: number,
  part: { type: number; stream: number; payload: Uint8Array; index: number },
): number {
  const { type, stream, payload, index } = part;
  const start = index * CHUNK_BYTES;
  const bytes = partBytes(payload.length, index);
  const body = at + FRAME_HEADER_BYTES;
  target.writeUInt32BE(index, body);
  target.writeUInt32BE(payload.length, body + 4);
  target.set(payload.subarray(start, start + bytes), body + PART_HEADER_BYTES);
  const flags = start + bytes < payload.length ? FLAG_PART | FLAG_MORE : FLAG_PART;
  return sealFrame(target, at, { type, flags, stream, payloadBytes: PART_HEADER_BYTES + bytes });
}

/** Writes the header of a frame whose payload is in place. */
function sealFrame(
  target: Buffer,
  at: number,
  header: { type: number; flags: number; stream: number; payloadBytes: number },
): number {
  const end = at + FRAME_HEADER_BYTES + header.payloadBytes;
  target.writeUInt16BE(FRAME_MAGIC, at + FRAME.magic);
  target[at + FRAME.type] = header.type;
  target[at + FRAME.flags] = header.flags;
  target.writeUInt32BE(header.payloadBytes, at + FRAME.length);
  target.writeUInt32BE(header.stream, at + FRAME.stream);
  target.writeUInt32BE(0, at + FRAME.credit);
  target.writeUInt32BE(checksum(target, at + FRAME.magic, end), at + FRAME.crc);
  return end;
}
