/**
 * A network of hosts in memory, over manual time. Bytes arrive after a latency, in pieces of any size, in memory that is
 * overwritten after the call; what a paused or cut-off receiver does not take fills the sender's buffer.
 *
 * Faults: `cut(from, to)` loses everything one way, silently (a connection then looks alive and is not); `crash(host)` takes a
 * host's sockets and listeners away, and the other ends get ECONNRESET; `corrupt` may change a piece on its way.
 */
import type { Address, Listener, Network, Socket, SocketHandlers } from '../../src/runtime.ts';
import type { ManualTime } from './manual-time.ts';

export interface MemoryNetworkOptions {
  readonly latencyMs?: number;
  /** Bytes that wait above which `write` answers false. */
  readonly highWaterBytes?: number;
  /** Largest piece that arrives at once; drawn anew each time. */
  readonly pieceBytes?: () => number;
}

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly accept: (socket: Socket) => void;
}

export class MemoryNetwork {
  readonly time: ManualTime;
  readonly latencyMs: number;
  readonly highWaterBytes: number;
  readonly pieceBytes: () => number;
  /** Changes bytes on their way, once set. */
  corrupt: ((piece: Buffer, from: string, to: string) => Buffer) | undefined;
  readonly #listening = new Map<string, Listening>();
  readonly #sockets = new Set<MemorySocket>();
  readonly #cuts = new Set<string>();
  #nextPort = 40_000;

  constructor(time: ManualTime, options: MemoryNetworkOptions = {}) {
    this.time = time;
    this.latencyMs = options.latencyMs ?? 1;
    this.highWaterBytes = options.highWaterBytes ?? 64 * 1024;
    this.pieceBytes = options.pieceBytes ?? (() => 64 * 1024);
  }

  /** The network as a host sees it. */
  host(host: string): Network {
    return {
      listen: (address, accept, done) => this.#listen(address, accept, done),
      connect: (address, handlers) => this.#connect(host, address, handlers),
    };
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from} ${to}`);
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(`${from} ${to}`);
    for (const socket of this.#sockets) socket.flow();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from} ${to}`);
  }

  crash(host: string): void {
    for (const [key, listening] of this.#listening) if (listening.host === host) this.#listening.delete(key);
    for (const socket of [...this.#sockets]) if (socket.localHost === host) socket.vanish();
  }

  /** Sockets that are there, of all hosts. */
  get sockets(): number {
    return this.#sockets.size;
  }

  forget(socket: MemorySocket): void {
    this.#sockets.delete(socket);
  }

  #listen(
    address: Address,
    accept: (socket: Socket) => void,
    done: (error?: Error, listener?: Listener) => void,
  ): void {
    const port = address.port || this.#nextPort++;
    const key = `${address.host}:${port}`;
    if (this.#listening.has(key)) return this.time.defer(() => done(failure('EADDRINUSE', `listen ${key}`)));
    this.#listening.set(key, { host: address.host, port, accept });
    const close = (closed: () => void): void => {
      this.#listening.delete(key);
      this.time.defer(closed);
    };
    this.time.defer(() => done(undefined, { port, close }));
  }

  #connect(host: string, address: Address, handlers: SocketHandlers): Socket {
    const near = new MemorySocket(this, host, `${address.host}:${address.port}`);
    const far = new MemorySocket(this, address.host, `${host}:${this.#nextPort++}`);
    near.other = far;
    far.other = near;
    near.handle(handlers);
    this.#sockets.add(near);
    if (!this.isCut(host, address.host)) this.time.set(this.latencyMs, () => this.#arrive(near, far, address));
    return near;
  }

  #arrive(near: MemorySocket, far: MemorySocket, address: Address): void {
    if (near.isClosed) return;
    const key = `${address.host}:${address.port}`;
    const listening = this.#listening.get(key);
    if (this.isCut(address.host, near.localHost)) return;
    if (!listening) return near.fail(failure('ECONNREFUSED', `connect ${key}`));
    this.#sockets.add(far);
    far.establish();
    listening.accept(far);
    this.time.set(this.latencyMs, () => near.establish());
  }
}

export class MemorySocket implements Socket {
  readonly localHost: string;
  readonly remoteAddress: string;
  other: MemorySocket | undefined;
  readonly #network: MemoryNetwork;
  #handlers: SocketHandlers | undefined;
  #outgoing: Buffer[] = [];
  #bufferedBytes = 0;
  #established = false;
  #scheduled = false;
  #full = false;
  #paused = false;
  #ending = false;
  #endTold = false;
  #hasEnded = false;
  #closed = false;

  constructor(network: MemoryNetwork, localHost: string, remoteAddress: string) {
    this.#network = network;
    this.localHost = localHost;
    this.remoteAddress = remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  handle(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ending) return true;
    this.#outgoing.push(Buffer.from(bytes));
    this.#bufferedBytes += bytes.length;
    this.#full = this.#bufferedBytes > this.#network.highWaterBytes;
    this.flow();
    return !this.#full;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.other?.flow();
  }

  end(): void {
    this.#ending = true;
    this.flow();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#close(undefined);
    this.#later(() => this.other?.remoteDestroyed());
  }

  /** The host is gone: nothing is called here, and the other end is reset. */
  vanish(): void {
    this.#handlers = undefined;
    this.#close(undefined);
    this.#later(() => this.other?.fail(failure('ECONNRESET', 'read')));
  }

  establish(): void {
    if (this.#closed) return;
    this.#established = true;
    this.#handlers?.connected?.();
    this.flow();
  }

  fail(error: Error): void {
    if (!this.#closed) this.#close(error);
  }

  /** As TCP does: an end, and a reset for whoever writes on. */
  remoteDestroyed(): void {
    if (this.#closed) return;
    if (this.#bufferedBytes > 0) return this.fail(failure('ECONNRESET', 'write'));
    this.#receiveEnd();
  }

  /** Moves bytes on, if there are any and the way is free. */
  flow(): void {
    if (this.#closed || !this.#established || this.#scheduled) return;
    if (this.#outgoing.length === 0 && !(this.#ending && !this.#endTold)) return;
    this.#scheduled = true;
    this.#network.time.set(this.#network.latencyMs, () => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { other } = this;
    if (this.#closed || !other || other.isClosed || other.#paused || this.#lost()) return;
    const piece = this.#take();
    if (piece) other.#receive(this.#network.corrupt?.(piece, this.localHost, other.localHost) ?? piece);
    else if (this.#ending && !this.#endTold) {
      this.#endTold = true;
      other.#receiveEnd();
      return this.#closeIfDone();
    }
    this.#drained();
    this.flow();
  }

  #take(): Buffer | undefined {
    const first = this.#outgoing[0];
    if (!first) return undefined;
    const piece = first.subarray(0, Math.max(1, this.#network.pieceBytes()));
    if (piece.length === first.length) this.#outgoing.shift();
    else this.#outgoing[0] = first.subarray(piece.length);
    this.#bufferedBytes -= piece.length;
    return Buffer.from(piece);
  }

  #receive(piece: Buffer): void {
    this.#handlers?.data(piece);
    piece.fill(0xee);
  }

  #receiveEnd(): void {
    if (this.#closed || this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#handlers?.ended) this.#handlers.ended();
    else this.end();
    if (this.other?.isClosed) this.#ending = this.#endTold = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#hasEnded && this.#endTold && !this.#closed) this.#close(undefined);
  }

  #drained(): void {
    if (!this.#full || this.#bufferedBytes > 0) return;
    this.#full = false;
    this.#handlers?.drained?.();
  }

  #close(error: Error | undefined): void {
    this.#closed = true;
    this.#outgoing = [];
    this.#bufferedBytes = 0;
    this.#network.forget(this);
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#network.time.defer(() => handlers?.closed(error));
  }

  #lost(): boolean {
    return this.other !== undefined && this.#network.isCut(this.localHost, this.other.localHost);
  }

  #later(callback: () => void): void {
    this.#network.time.set(this.#network.latencyMs, () => {
      if (!this.#lost()) callback();
    });
  }
}

function failure(code: string, call: string): Error {
  return Object.assign(new Error(`${call} ${code}`), { code });
}
