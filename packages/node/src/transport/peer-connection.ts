/**
 * One connection to a peer, from the first byte to the last: handshake, heartbeat, messages both ways.
 *
 *     handshake ──► open ──► closed ──► gone (the socket has said so)
 *         └──► refused ─────────┘
 *
 * `opened` and `closed` are told at most once each, `gone` exactly once; nothing is delivered before `opened` or after
 * `closed`. A connection is silent when nothing has come for `silenceMs`: both ends ping, so that is not for want of traffic.
 */
import { NodeError } from '../errors.ts';
import type { Socket, SocketHandlers } from '../runtime.ts';
import {
  controlFrame,
  FRAME_PAYLOAD_BYTES_MAX,
  TYPE_HELLO,
  TYPE_PING,
  TYPE_PONG,
  TYPE_PROOF,
  TYPE_REFUSAL,
} from './frame.ts';
import { FrameDecoder } from './frame-decoder.ts';
import type { AcceptedPeer, Handshake } from './handshake.ts';
import { encodeRefusal, HELLO_BYTES_MAX, type Refusal } from './hello.ts';
import { MessageAssembly, type MessageSink } from './message-assembly.ts';
import type { TransportOptions } from './options.ts';
import { OutgoingQueue } from './outgoing-queue.ts';

export type CloseReason =
  | { readonly kind: 'ended' | 'silent' | 'slow-handshake' | 'replaced' | 'stopped' }
  | { readonly kind: 'error'; readonly error: Error | undefined }
  | { readonly kind: 'bad-frame' | 'bad-message'; readonly error: Error }
  /** `by` which end. `peer`: the name that the other end gave. */
  | {
      readonly kind: 'refused';
      readonly by: 'here' | 'peer';
      readonly refusal: Refusal;
      readonly peer: string | undefined;
    };

export interface ConnectionOwner {
  now(): number;
  opened(connection: PeerConnection, peer: AcceptedPeer): void;
  /** `payload` belongs to the receiver. */
  message(connection: PeerConnection, type: number, payload: Buffer): void;
  closed(connection: PeerConnection, reason: CloseReason): void;
  gone(connection: PeerConnection): void;
  /** Something waits: call `flush` at the end of this turn. */
  waiting(connection: PeerConnection): void;
  /** Some of what waited has gone to the socket. */
  flushed(connection: PeerConnection): void;
}

export interface ConnectionSetup {
  /** Whom this node has dialled; `undefined` for a connection that was accepted. */
  readonly dialled: string | undefined;
  readonly handshake: Handshake;
  readonly owner: ConnectionOwner;
  readonly options: Required<TransportOptions>;
}

const PING_BYTES = 8;
/** Weight of a new round trip in the mean. */
const ROUND_TRIP_WEIGHT = 1 / 8;

export class PeerConnection implements SocketHandlers, MessageSink {
  readonly dialled: string | undefined;
  /** Requests that have come on this connection and wait for their reply: streams, oldest first. */
  readonly unanswered = new Set<number>();
  readonly #handshake: Handshake;
  readonly #owner: ConnectionOwner;
  readonly #options: Required<TransportOptions>;
  readonly #decoder: FrameDecoder;
  readonly #queue: OutgoingQueue;
  #socket: Socket | undefined;
  #state: 'handshake' | 'open' | 'refused' | 'closed' = 'handshake';
  #peer: AcceptedPeer | undefined;
  #blocked = false;
  #hasAnswered = false;
  #since: number;
  #heardAt: number;
  #pingedAt = 0;
  #openedAt: number | undefined;
  #roundTripMs: number | undefined;

  constructor(setup: ConnectionSetup) {
    this.dialled = setup.dialled;
    this.#handshake = setup.handshake;
    this.#owner = setup.owner;
    this.#options = setup.options;
    this.#decoder = new FrameDecoder(new MessageAssembly(this));
    this.#decoder.payloadBytesMax = HELLO_BYTES_MAX;
    this.#queue = new OutgoingQueue({ bytesMax: setup.options.queueBytesMax });
    this.#since = this.#owner.now();
    this.#heardAt = this.#since;
  }

  /** Must be called at once, with the socket whose handlers this is. */
  attach(socket: Socket): void {
    this.#socket = socket;
  }

  get remoteAddress(): string {
    return this.#socket?.remoteAddress ?? '?';
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Set from `opened` on. */
  get peer(): AcceptedPeer | undefined {
    return this.#peer;
  }

  /** When it was opened, monotonic ms; `undefined` if it never was. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** Mean time from ping to pong, once there was one. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** False: not open, or too much waits. */
  send(type: number, payload: Uint8Array, deadline: number): boolean {
    if (this.#state !== 'open' || !this.#queue.push(type, payload, deadline)) return false;
    if (!this.#blocked) this.#owner.waiting(this);
    return true;
  }

  /** Messages dropped since the last call because they had waited past their deadline. */
  takeExpired(): number {
    const expired = this.#queue.expired;
    this.#queue.expired = 0;
    return expired;
  }

  /** Writes what waits, until the socket says that it is enough. */
  flush(): void {
    const now = this.#owner.now();
    while (this.#state === 'open' && !this.#blocked) {
      const bytes = this.#queue.next(now);
      if (bytes === undefined) break;
      this.#blocked = this.#socket?.write(bytes) === false;
    }
    this.#owner.flushed(this);
  }

  /** To be called each heartbeat: pings, and gives up on what takes too long. */
  tick(now: number): void {
    const { silenceMs, handshakeMs } = this.#options;
    if (this.#state === 'open') {
      if (now - this.#heardAt > silenceMs) this.close({ kind: 'silent' });
      else this.#ping(now);
    } else if (now - this.#since > handshakeMs) {
      if (this.#state === 'handshake') this.close({ kind: 'slow-handshake' });
      else this.#socket?.destroy();
    }
  }

  /** Closes at once; what waits is lost. */
  close(reason: CloseReason): void {
    if (this.#state === 'closed') return;
    const told = this.#state === 'refused';
    this.#become('closed');
    this.#decoder.stop();
    this.#socket?.destroy();
    if (!told) this.#owner.closed(this, reason);
  }

  /** Closes once what waits has gone out, as far as the socket takes it now. */
  finish(): void {
    if (this.#state !== 'open') return this.close({ kind: 'stopped' });
    this.flush();
    this.#become('closed');
    this.#decoder.stop();
    this.#socket?.end();
    this.#owner.closed(this, { kind: 'stopped' });
  }

  /** After `finish`, when it takes too long. */
  destroy(): void {
    this.#socket?.destroy();
  }

  // What the socket tells.

  connected(): void {
    if (this.#state !== 'handshake' || this.dialled === undefined) return;
    this.#socket?.write(controlFrame(TYPE_HELLO, this.#handshake.hello(this.dialled)));
  }

  data(chunk: Buffer): void {
    this.#heardAt = this.#owner.now();
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (!(error instanceof NodeError && error.code === 'NODE_BAD_FRAME')) throw error;
      this.close({ kind: 'bad-frame', error });
    }
  }

  drained(): void {
    this.#blocked = false;
    this.flush();
  }

  ended(): void {
    this.close({ kind: 'ended' });
  }

  closed(error?: Error): void {
    this.close({ kind: 'error', error });
    this.#owner.gone(this);
  }

  // What the frames say.

  message(type: number, payload: Buffer): void {
    if (this.#state === 'handshake')
      throw new NodeError('NODE_BAD_FRAME', 'a message came before the handshake was done');
    if (this.#state === 'open') this.#owner.message(this, type, payload);
  }

  control(type: number, payload: Buffer): void {
    if (this.#state === 'handshake') this.#judge(type, payload);
    else if (this.#state === 'open') this.#controlWhenOpen(type, payload);
  }

  #judge(type: number, payload: Buffer): void {
    const result = this.#handshake.receive(type, payload);
    switch (result.status) {
      case 'accepted':
        return this.#accept(result.peer, result.proof);
      case 'challenged':
        return this.#answer(result.peer);
      case 'rejected': {
        const peer = this.dialled ?? this.#handshake.claimedName;
        return this.close({ kind: 'refused', by: 'peer', refusal: result.refusal, peer });
      }
      case 'refused':
        return this.#refuse(result.refusal, result.peer);
    }
  }

  /** What the other end still needs to hear goes out before it is told to anybody that the connection is open. */
  #accept(peer: AcceptedPeer, proof: Buffer | undefined): void {
    if (proof !== undefined) this.#socket?.write(controlFrame(TYPE_PROOF, proof));
    else if (this.dialled === undefined && !this.#hasAnswered) this.#answer(peer);
    this.#open(peer);
  }

  #answer(peer: AcceptedPeer): void {
    this.#hasAnswered = true;
    this.#socket?.write(controlFrame(TYPE_HELLO, this.#handshake.hello(peer.id)));
  }

  #open(peer: AcceptedPeer): void {
    this.#peer = peer;
    this.#become('open');
    this.#openedAt = this.#since;
    this.#decoder.payloadBytesMax = FRAME_PAYLOAD_BYTES_MAX;
    this.#owner.opened(this, peer);
  }

  /** The socket ends in its own time, so that the reason arrives; `tick` sees to it that it does end. */
  #refuse(refusal: Refusal, peer: string | undefined): void {
    this.#become('refused');
    this.#decoder.stop();
    this.#socket?.write(controlFrame(TYPE_REFUSAL, encodeRefusal(refusal)));
    this.#socket?.end();
    this.#owner.closed(this, { kind: 'refused', by: 'here', refusal, peer });
  }

  #controlWhenOpen(type: number, payload: Buffer): void {
    if (type === TYPE_PING && payload.length === PING_BYTES) this.#pushControl(controlFrame(TYPE_PONG, payload));
    else if (type === TYPE_PONG) this.#measure(payload);
    else
      throw new NodeError(
        'NODE_BAD_FRAME',
        `a frame of type ${type} and ${payload.length} bytes came after the handshake`,
      );
  }

  #ping(now: number): void {
    const payload = Buffer.alloc(PING_BYTES);
    payload.writeDoubleBE(now, 0);
    this.#pingedAt = now;
    this.#pushControl(controlFrame(TYPE_PING, payload));
  }

  #pushControl(frame: Buffer): void {
    this.#queue.pushControl(frame);
    if (!this.#blocked) this.#owner.waiting(this);
  }

  /** Only the answer to the last ping counts. */
  #measure(payload: Buffer): void {
    if (payload.length !== PING_BYTES || payload.readDoubleBE(0) !== this.#pingedAt) return;
    const elapsed = this.#owner.now() - this.#pingedAt;
    const mean = this.#roundTripMs ?? elapsed;
    this.#roundTripMs = mean + (elapsed - mean) * ROUND_TRIP_WEIGHT;
  }

  #become(state: 'open' | 'refused' | 'closed'): void {
    this.#state = state;
    this.#since = this.#owner.now();
  }
}
