/**
 * What waits to go to one peer, bounded, as the bytes of the next write. Messages keep their order, except that long ones go
 * part by part between the others, so that a value of 64 MiB holds nobody up; and frames of the connection itself go first.
 * A message that has waited past its deadline is dropped, unless a part of it is out.
 */
import { FRAME_HEADER_BYTES, CHUNK_BYTES, PART_HEADER_BYTES } from './frame.ts';
import { partBytes, partCount, wholeFrameBytes, writePart, writeWhole } from './frame.ts';

/** Long messages that are under way at a time. */
const LONG_OPEN_MAX = 4;
/** Pings and answers to pings; in good order there are two per heartbeat. */
const CONTROL_FRAMES_MAX = 64;
/** Of short messages, in one write. */
const WRITE_BYTES = 256 * 1024;

interface Entry {
  readonly type: number;
  readonly stream: number;
  readonly payload: Uint8Array;
  readonly deadline: number;
  /** Parts that are out; of long messages only. */
  partsSent: number;
}

export class OutgoingQueue {
  /** Messages that were dropped because their deadline had passed. */
  expired = 0;
  readonly #bytesMax: number;
  readonly #control: Buffer[] = [];
  #short: Entry[] = [];
  /** Entries of `#short` before this one are gone. */
  #shortHead = 0;
  readonly #long: Entry[] = [];
  #bytes = 0;
  #lastStream = 0;
  readonly #picked: Entry[] = [];

  constructor(options: { readonly bytesMax: number }) {
    this.#bytesMax = options.bytesMax;
  }

  /** Payload bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a message, to be sent by `deadline` (monotonic ms). False: as much as the bound waits already. So one message may
   * pass the bound, of whatever size: a long one is not kept out by short ones. `payload` must not change.
   */
  push(type: number, payload: Uint8Array, deadline: number): boolean {
    if (this.#bytes >= this.#bytesMax) return false;
    this.#bytes += payload.length;
    const entry: Entry = { type, stream: this.#nextStream(), payload, deadline, partsSent: 0 };
    if (payload.length > CHUNK_BYTES) this.#long.push(entry);
    else this.#short.push(entry);
    return true;
  }

  /** Takes a finished frame of the connection itself, unless so many wait that the other end does not read. */
  pushControl(frame: Buffer): void {
    if (this.#control.length < CONTROL_FRAMES_MAX) this.#control.push(frame);
  }

  /** The bytes of the next write, `undefined` when nothing waits. */
  next(now: number): Buffer | undefined {
    const controlBytes = this.#control.reduce((sum, frame) => sum + frame.length, 0);
    const shortBytes = this.#pickShort(now);
    const shorts = this.#picked.length;
    const longBytes = this.#pickLong(now);
    const bytes = controlBytes + shortBytes + longBytes;
    if (bytes === 0) return undefined;
    const target = Buffer.allocUnsafe(bytes);
    this.#write(target, shorts);
    this.#picked.length = 0;
    return target;
  }

  #nextStream(): number {
    this.#lastStream = this.#lastStream === 0xffffffff ? 1 : this.#lastStream + 1;
    return this.#lastStream;
  }

  #pickShort(now: number): number {
    let bytes = 0;
    while (this.#shortHead < this.#short.length && bytes < WRITE_BYTES) {
      const entry = this.#short[this.#shortHead++] as Entry;
      this.#bytes -= entry.payload.length;
      if (this.#late(entry, now)) continue;
      this.#picked.push(entry);
      bytes += wholeFrameBytes(entry.payload);
    }
    this.#trimShort();
    return bytes;
  }

  #trimShort(): void {
    if (this.#shortHead === this.#short.length) {
      this.#short.length = 0;
      this.#shortHead = 0;
    } else if (this.#shortHead > 1024 && this.#shortHead * 2 > this.#short.length) {
      this.#short = this.#short.slice(this.#shortHead);
      this.#shortHead = 0;
    }
  }

  /** One part of each long message that is under way. */
  #pickLong(now: number): number {
    let bytes = 0;
    let at = 0;
    while (at < this.#long.length && at < LONG_OPEN_MAX) {
      const entry = this.#long[at] as Entry;
      if (entry.partsSent === 0 && this.#late(entry, now)) {
        this.#bytes -= entry.payload.length;
        this.#long.splice(at, 1);
        continue;
      }
      this.#picked.push(entry);
      bytes += FRAME_HEADER_BYTES + PART_HEADER_BYTES + partBytes(entry.payload.length, entry.partsSent);
      at++;
    }
    return bytes;
  }

  #late(entry: Entry, now: number): boolean {
    if (now <= entry.deadline) return false;
    this.expired++;
    return true;
  }

  #write(target: Buffer, shorts: number): void {
    let at = 0;
    for (const frame of this.#control) at += frame.copy(target, at);
    this.#control.length = 0;
    for (let i = 0; i < this.#picked.length; i++) {
      const entry = this.#picked[i] as Entry;
      if (i < shorts) at = writeWhole(target, at, entry.type, entry.stream, entry.payload);
      else at = this.#writeNextPart(target, at, entry);
    }
  }

  #writeNextPart(target: Buffer, at: number, entry: Entry): number {
    const { type, stream, payload, partsSent: index } = entry;
    entry.partsSent++;
    this.#bytes -= partBytes(payload.length, index);
    if (entry.partsSent === partCount(payload.length)) this.#long.splice(this.#long.indexOf(entry), 1);
    return writePart(target, at, { type, stream, payload, index });
  }
}
