/** Help for tests of frames: messages as a sender makes them, and as a receiver gets them. */
import { FrameDecoder } from '../../src/transport/frame-decoder.ts';
import { MessageAssembly } from '../../src/transport/message-assembly.ts';
import { OutgoingQueue } from '../../src/transport/outgoing-queue.ts';

export interface Received {
  readonly type: number;
  readonly payload: Buffer;
}

/** Collects what arrives; bytes are overwritten after each push, as a socket's may be. */
export class Receiver {
  readonly messages: Received[] = [];
  readonly controls: Received[] = [];
  readonly decoder: FrameDecoder;

  constructor() {
    this.decoder = new FrameDecoder(
      new MessageAssembly({
        message: (type, payload) => this.messages.push({ type, payload }),
        control: (type, payload) => this.controls.push({ type, payload: Buffer.from(payload) }),
      }),
    );
  }

  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes);
    try {
      this.decoder.push(chunk);
    } finally {
      chunk.fill(0xee);
    }
  }

  /** Feeds `bytes` in pieces whose sizes are drawn from `sizes`, round and round. */
  pushInPieces(bytes: Buffer, sizes: readonly number[]): void {
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
      this.push(bytes.subarray(at, at + size));
      at += size;
    }
  }
}

/** The writes of a queue that has been given these messages. */
export function writesOf(messages: readonly Received[]): Buffer[] {
  const queue = new OutgoingQueue({ bytesMax: Number.MAX_SAFE_INTEGER });
  for (const { type, payload } of messages) queue.push(type, payload, Number.POSITIVE_INFINITY);
  const writes: Buffer[] = [];
  for (let bytes = queue.next(0); bytes; bytes = queue.next(0)) writes.push(bytes);
  return writes;
}

/** Cuts a piece of bytes into its frames. */
export function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 20 + bytes.readUInt32BE(at + 8);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

/** Bytes that differ all along, so that a shifted or swapped part shows. */
export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed | 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** `toEqual` looks at every byte by itself, which long messages are too long for. */
export function isSame(a: Received, b: Received | undefined): boolean {
  return b !== undefined && a.type === b.type && a.payload.equals(b.payload);
}

/** Whether the same messages are in both, in any order; their types are distinct. */
export function areSame(received: readonly Received[], expected: readonly Received[]): boolean {
  const byType = new Map(expected.map((message) => [message.type, message]));
  return received.length === expected.length && received.every((message) => isSame(message, byType.get(message.type)));
}
