/**
 * Bytes in any pieces → frames. Memory is taken for bytes that have arrived, never for a length that a header only claims,
 * and for one frame at most. The first wrong byte throws NODE_BAD_FRAME; after that the decoder is of no more use.
 */
import { NodeError } from '../errors.ts';
import { checksum } from './checksum.ts';
import {
  FLAG_COMPRESSED,
  FLAG_MORE,
  FLAG_PART,
  FRAME,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_PAYLOAD_BYTES_MAX,
} from './frame.ts';

export interface FrameSink {
  /** `payload` is a view that is valid only during the call. */
  frame(type: number, flags: number, stream: number, payload: Buffer): void;
}

const KNOWN_FLAGS = FLAG_MORE | FLAG_PART;

export class FrameDecoder {
  /** Lowered until a peer has shown that it is one. */
  payloadBytesMax = FRAME_PAYLOAD_BYTES_MAX;
  readonly #sink: FrameSink;
  /** The beginning of a frame whose end has not come yet: the first `#heldBytes` of `#held`. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Drops what is held and all that comes; may be called from within `frame`. */
  stop(): void {
    this.#stopped = true;
    this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
  }

  /** Gives every frame that is complete now to the sink. Keeps no reference to `chunk`. Throws NODE_BAD_FRAME. */
  push(chunk: Buffer): void {
    let at = this.#heldBytes > 0 ? this.#complete(chunk) : 0;
    if (this.#heldBytes > 0) return;
    while (!this.#stopped && chunk.length - at >= FRAME_HEADER_BYTES) {
      const frameBytes = this.#frameBytes(chunk, at);
      if (chunk.length - at < frameBytes) break;
      this.#deliver(chunk, at, frameBytes);
      at += frameBytes;
    }
    if (!this.#stopped && at < chunk.length) this.#hold(chunk, at, chunk.length);
  }

  /** Adds to the held frame what it lacks, and delivers it once it is whole. Returns the bytes of `chunk` that were used. */
  #complete(chunk: Buffer): number {
    let at = this.#fillTo(FRAME_HEADER_BYTES, chunk, 0);
    if (this.#heldBytes < FRAME_HEADER_BYTES) return at;
    const frameBytes = this.#frameBytes(this.#held, 0);
    at = this.#fillTo(frameBytes, chunk, at);
    if (this.#heldBytes < frameBytes) return at;
    this.#heldBytes = 0;
    this.#deliver(this.#held, 0, frameBytes);
    return at;
  }

  #fillTo(bytes: number, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + Math.max(0, bytes - this.#heldBytes));
    if (end > at) this.#hold(chunk, at, end);
    return end;
  }

  #hold(chunk: Buffer, from: number, to: number): void {
    const needed = this.#heldBytes + (to - from);
    if (needed > this.#held.length) this.#grow(needed);
    chunk.copy(this.#held, this.#heldBytes, from, to);
    this.#heldBytes = needed;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#held.length * 2, needed * 2), 512));
    this.#held.copy(larger, 0, 0, this.#heldBytes);
    this.#held = larger;
  }

  /** Length of the frame whose header is at `at`, checked as far as a header can be. */
  #frameBytes(bytes: Buffer, at: number): number {
    if (bytes.readUInt16BE(at + FRAME.magic) !== FRAME_MAGIC) bad('does not begin with the magic of a frame');
    const flags = bytes[at + FRAME.flags] as number;
    if (flags & FLAG_COMPRESSED) bad('is compressed, which was not negotiated');
    if (flags & ~KNOWN_FLAGS) bad(`has unknown flags ${flags}`);
    if (bytes[at + FRAME.type] === 0) bad('has type 0');
    if (bytes.readUInt32BE(at + FRAME.credit) !== 0) bad('carries credit, which was not negotiated');
    const payloadBytes = bytes.readUInt32BE(at + FRAME.length);
    if (payloadBytes > this.payloadBytesMax) {
      bad(`claims ${payloadBytes} bytes of payload, more than ${this.payloadBytesMax}`);
    }
    return FRAME_HEADER_BYTES + payloadBytes;
  }

  #deliver(bytes: Buffer, at: number, frameBytes: number): void {
    const end = at + frameBytes;
    const expected = bytes.readUInt32BE(at + FRAME.crc);
    const found = checksum(bytes, at + FRAME.magic, end);
    if (found !== expected) bad(`has checksum ${found.toString(16)}, its header says ${expected.toString(16)}`);
    const stream = bytes.readUInt32BE(at + FRAME.stream);
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
    this.#sink.frame(bytes[at + FRAME.type] as number, bytes[at + FRAME.flags] as number, stream, payload);
  }
}

function bad(what: string): never {
  throw new NodeError('NODE_BAD_FRAME', `a frame ${what}`);
}
