/**
 * One end of a connection. What it sends goes as segments to the other end, each an event of the scheduler.
 *
 *   write ─► [fate] ─► event after the delay ─► cut? wait for the mend ─► paused? wait ─► handlers.data
 *
 * Invariants: `closed` is told exactly once, unless the process has died; nothing is told after it, and nothing within the call
 * that caused it.
 */
import type { Socket, SocketHandlers } from '../../packages/node/src/runtime.ts';
import { EVENT } from './scheduler.ts';
import { type HostProcess, networkError, type SimulatedNetwork } from './simulated-network.ts';
import { digestOf } from './trace-hash.ts';

export type Segment =
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly isRepeat: boolean }
  | { readonly kind: 'call'; readonly arrive: () => void }
  | { readonly kind: 'accept' }
  | { readonly kind: 'refuse'; readonly error: Error }
  | { readonly kind: 'end' }
  /** The other end was destroyed. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'reset' };

/** Of pieces of a split segment. */
const PIECE_BYTES_MAX = 400;
/** How late a reordered or repeated segment may be. */
const LATE_MS = 300;
/** Between two segments of one direction: events of one moment happen in any order, segments do not. */
const APART_MS = 0.002;
const POISON = 0xee;

export class SimulatedSocket implements Socket {
  readonly host: string;
  readonly remoteAddress: string;
  process: HostProcess | undefined;
  isSplit = false;
  readonly #network: SimulatedNetwork;
  #other: SimulatedSocket | undefined;
  #handlers: SocketHandlers | undefined;
  /** Written before the connection stood. */
  #early: Buffer[] = [];
  /** Arrived for this end, and cannot be taken yet. */
  #held: Segment[] = [];
  #lastArrivalMs = 0;
  #bufferedBytes = 0;
  #established = false;
  #full = false;
  #paused = false;
  #ending = false;
  #endSent = false;
  #endReceived = false;
  #closed = false;

  constructor(network: SimulatedNetwork, process: HostProcess | undefined, host: string, remoteAddress: string) {
    this.#network = network;
    this.process = process;
    this.host = host;
    this.remoteAddress = remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get other(): SimulatedSocket {
    return this.#other as SimulatedSocket;
  }

  join(other: SimulatedSocket): void {
    this.#other = other;
    other.#other = this;
  }

  handle(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  dial(arrive: () => void): void {
    this.#send({ kind: 'call', arrive });
  }

  /** A process has taken the call. */
  accepted(process: HostProcess): void {
    this.process = process;
    this.#established = true;
    this.#network.add(this);
  }

  /** What the host says to the caller. */
  answer(segment: Segment): void {
    this.#send(segment);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ending || bytes.length === 0) return true;
    this.#bufferedBytes += bytes.length;
    this.#full = this.#bufferedBytes > this.#network.highWaterBytes;
    if (this.#established) this.#sendData(asBuffer(bytes));
    else this.#early.push(asBuffer(bytes));
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held.length > 0) this.#soon(() => this.release());
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    if (this.#established) this.#sendEnd();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#close(undefined);
    this.#send({ kind: 'gone' });
  }

  /** The process is gone: nothing is called here any more. */
  vanish(silently: boolean): void {
    this.#handlers = undefined;
    this.#close(undefined);
    if (!silently) this.#send({ kind: 'reset' });
  }

  /** A cut was mended, or the receiver goes on: what waits for this end comes now. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const segment of held) this.#receive(segment);
  }

  // Sending.

  #sendData(bytes: Buffer): void {
    if (!this.isSplit) {
      this.#sendSegment(bytes);
      return;
    }
    this.#network.counters.split++;
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + 1 + this.#network.random.below(PIECE_BYTES_MAX));
      at += piece.length;
      this.#send({ kind: 'data', bytes: piece, isRepeat: false });
    }
  }

  #sendSegment(bytes: Buffer): void {
    const { counters, random, faults } = this.#network;
    const segment: Segment = { kind: 'data', bytes, isRepeat: false };
    switch (this.#network.fate()) {
      case 'arrive':
        return this.#send(segment);
      case 'lose':
        counters.lost++;
        this.#soon(() => this.#handedOver(bytes.length));
        if (random.chance(faults.reset)) this.#breakConnection();
        return;
      case 'repeat':
        counters.duplicated++;
        this.#send(segment);
        return this.#send({ ...segment, isRepeat: true }, random.chance(0.5) ? APART_MS : random.between(0, LATE_MS));
      case 'delay':
        counters.reordered++;
        return this.#send(segment, random.between(0, LATE_MS));
    }
  }

  #breakConnection(): void {
    this.#network.counters.resets++;
    this.#soon(() => this.#fail(networkError('ECONNRESET', 'write')));
    this.#send({ kind: 'reset' });
  }

  #sendEnd(): void {
    this.#endSent = true;
    this.#send({ kind: 'end' });
    this.#closeIfDone();
  }

  /** `lateMs`: out of order, so much later than it would be. */
  #send(segment: Segment, lateMs = 0): void {
    const { scheduler } = this.#network;
    const { other } = this;
    let arrivalMs = scheduler.nowMs + this.#network.delayMs(this.host, other.host) + lateMs;
    if (lateMs === 0) {
      arrivalMs = Math.max(arrivalMs, this.#lastArrivalMs + APART_MS);
      this.#lastArrivalMs = arrivalMs;
    }
    this.#network.counters.segments++;
    const digest = segment.kind === 'data' ? digestOf(segment.bytes) : segment.kind.length;
    const label = { node: other.process?.node ?? -1, kind: EVENT.segment, digest };
    scheduler.after(arrivalMs - scheduler.nowMs, label, () => other.#receive(segment));
  }

  // Receiving.

  #receive(segment: Segment): void {
    if (this.#mustWait(segment)) {
      this.#held.push(segment);
      return;
    }
    if (!this.#network.hasPower(this.host)) return;
    switch (segment.kind) {
      case 'call':
        return segment.arrive();
      case 'accept':
        return this.#establish();
      case 'refuse':
        return this.#fail(segment.error);
      case 'data':
        return this.#receiveData(segment);
      case 'end':
        return this.#receiveEnd();
      case 'gone':
        return this.#receiveGone();
      case 'reset':
        return this.#fail(networkError('ECONNRESET', 'read'));
    }
  }

  #mustWait(segment: Segment): boolean {
    if (this.#network.isCut(this.other.host, this.host)) {
      this.#network.counters.held++;
      return true;
    }
    return this.#paused && !this.#closed && (segment.kind === 'data' || segment.kind === 'end');
  }

  #establish(): void {
    if (this.#closed) return;
    this.#established = true;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) this.#sendData(bytes);
    if (this.#ending) this.#sendEnd();
    this.#handlers?.connected?.();
  }

  #receiveData(segment: Segment & { readonly kind: 'data' }): void {
    if (this.#closed) {
      // Whoever writes to an end that is no more learns it so.
      if (!this.other.#closed) this.#send({ kind: 'reset' });
      return;
    }
    if (!segment.isRepeat) this.other.#handedOver(segment.bytes.length);
    const chunk = Buffer.from(segment.bytes);
    this.#handlers?.data(chunk);
    chunk.fill(POISON);
  }

  #handedOver(bytes: number): void {
    if (this.#closed) return;
    this.#bufferedBytes -= bytes;
    if (!this.#full || this.#bufferedBytes > 0) return;
    this.#full = false;
    this.#soon(() => {
      if (!this.#closed) this.#handlers?.drained?.();
    });
  }

  #receiveEnd(): void {
    if (this.#closed || this.#endReceived) return;
    this.#endReceived = true;
    if (this.#handlers?.ended) this.#handlers.ended();
    else this.end();
    this.#closeIfDone();
  }

  /** As TCP does: an end, and a reset for whoever writes on. */
  #receiveGone(): void {
    if (this.#closed) return;
    if (this.#bufferedBytes > 0) return this.#fail(networkError('ECONNRESET', 'write'));
    this.#ending = true;
    this.#endSent = true;
    this.#receiveEnd();
  }

  #closeIfDone(): void {
    if (this.#endReceived && this.#endSent && !this.#closed) this.#close(undefined);
  }

  #fail(error: Error): void {
    if (!this.#closed) this.#close(error);
  }

  #close(error: Error | undefined): void {
    this.#closed = true;
    this.#early = [];
    this.#bufferedBytes = 0;
    this.#network.forget(this);
    const handlers = this.#handlers;
    this.#handlers = undefined;
    if (handlers !== undefined) this.#soon(() => handlers.closed(error));
  }

  /** After this event, unless the process is gone by then. */
  #soon(callback: () => void): void {
    const { process } = this;
    const label = { node: process?.node ?? -1, kind: EVENT.socket };
    this.#network.scheduler.after(0, label, () => {
      if (process === undefined || process.alive) callback();
    });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
