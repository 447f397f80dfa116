/**
 * Frames → messages. Messages of several parts are put together per stream; different streams may interleave. Of a part,
 * everything but its bytes follows from its index and the message's length, so a part that is lost, repeated, out of order or
 * of another message throws NODE_BAD_FRAME, and never ends up in a wrong message.
 */
import { NodeError } from '../errors.ts';
import {
  CHUNK_BYTES,
  CONTROL_STREAM,
  CONTROL_TYPE_FIRST,
  FLAG_MORE,
  FLAG_PART,
  MESSAGE_BYTES_MAX,
  PART_HEADER_BYTES,
  partBytes,
  partCount,
} from './frame.ts';
import type { FrameSink } from './frame-decoder.ts';

export interface MessageSink {
  /** `payload` belongs to the receiver. */
  message(type: number, payload: Buffer): void;
  /** A frame of the connection itself. `payload` is valid only during the call. */
  control(type: number, payload: Buffer): void;
}

/** A sender keeps 4 at most (outgoing-queue.ts). */
const OPEN_STREAMS_MAX = 64;
/** All parts held on one connection: a largest message and as much again. */
const HELD_BYTES_MAX = 2 * MESSAGE_BYTES_MAX;

interface OpenMessage {
  readonly type: number;
  readonly totalBytes: number;
  readonly parts: Buffer[];
}

export class MessageAssembly implements FrameSink {
  readonly #sink: MessageSink;
  readonly #open = new Map<number, OpenMessage>();
  #heldBytes = 0;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type >= CONTROL_TYPE_FIRST) {
      if (flags !== 0 || stream !== CONTROL_STREAM) bad(`of type ${type} has flags ${flags} and stream ${stream}`);
      this.#sink.control(type, payload);
    } else {
      if (stream === CONTROL_STREAM) bad(`of type ${type} is on stream 0`);
      if (flags & FLAG_PART) this.#part(type, flags, stream, payload);
      else this.#whole(type, flags, stream, payload);
    }
  }

  #whole(type: number, flags: number, stream: number, payload: Buffer): void {
    if (flags & FLAG_MORE) bad('says "more" and is no part');
    if (payload.length > CHUNK_BYTES) bad(`carries ${payload.length} bytes of a message at once`);
    if (this.#open.has(stream)) bad(`begins a message on stream ${stream}, which is in the middle of one`);
    // A view would be overwritten by what arrives next.
    this.#sink.message(type, Buffer.from(payload));
  }

  #part(type: number, flags: number, stream: number, payload: Buffer): void {
    if (payload.length < PART_HEADER_BYTES) bad('is a part without index and length');
    const index = payload.readUInt32BE(0);
    const totalBytes = payload.readUInt32BE(4);
    checkPart(index, totalBytes, flags, payload.length - PART_HEADER_BYTES);
    const message = index === 0 ? this.#begin(type, stream, totalBytes) : this.#open.get(stream);
    if (!message) bad(`is part ${index} on stream ${stream}, where no message was begun`);
    if (message.type !== type || message.totalBytes !== totalBytes || message.parts.length !== index) {
      bad(`is part ${index} on stream ${stream}, where part ${message.parts.length} of another length or type was due`);
    }
    message.parts.push(Buffer.from(payload.subarray(PART_HEADER_BYTES)));
    this.#heldBytes += payload.length - PART_HEADER_BYTES;
    if (this.#heldBytes > HELD_BYTES_MAX) bad(`makes parts of unfinished messages exceed ${HELD_BYTES_MAX} bytes`);
    if (!(flags & FLAG_MORE)) this.#finish(stream, message);
  }

  #begin(type: number, stream: number, totalBytes: number): OpenMessage {
    if (this.#open.has(stream)) bad(`begins a message on stream ${stream}, which is in the middle of one`);
    if (this.#open.size >= OPEN_STREAMS_MAX) bad(`begins more than ${OPEN_STREAMS_MAX} messages at a time`);
    const message: OpenMessage = { type, totalBytes, parts: [] };
    this.#open.set(stream, message);
    return message;
  }

  #finish(stream: number, message: OpenMessage): void {
    this.#open.delete(stream);
    this.#heldBytes -= message.totalBytes;
    this.#sink.message(message.type, Buffer.concat(message.parts, message.totalBytes));
  }
}

function checkPart(index: number, totalBytes: number, flags: number, bytes: number): void {
  if (totalBytes <= CHUNK_BYTES || totalBytes > MESSAGE_BYTES_MAX) bad(`is a part of a message of ${totalBytes} bytes`);
  const parts = partCount(totalBytes);
  if (index >= parts) bad(`is part ${index} of ${parts}`);
  if (bytes !== partBytes(totalBytes, index)) bad(`is part ${index} of ${totalBytes} bytes and carries ${bytes}`);
  if (((flags & FLAG_MORE) !== 0) !== index < parts - 1) bad(`is part ${index} of ${parts} and says otherwise`);
}

function bad(what: string): never {
  throw new NodeError('NODE_BAD_FRAME', `a frame ${what}`);
}
