/**
 * All that a node knows of the world. A real one (runtime/real-runtime.ts) and a simulated one (test/simulation) exist; no
 * other file reads the time, draws a random number, opens a socket or a file, or starts a thread.
 *
 * Rules that both keep:
 * - no callback runs within the call that asked for it: `set`, `defer`, `connect`, `write`, `close` return first;
 * - nothing here throws for what the world does: a refused connection is `closed(error)`, a taken port `done(error)`.
 */
import type { FileSystem, TaskRunner } from '@kvd/lsm';

export interface Clock {
  /** Milliseconds, with fractions, from an arbitrary start; never goes back. All timeouts and deadlines use it. */
  monotonicMs(): number;
  /** Milliseconds since 1970, as the machine believes; may jump either way. Only the hybrid clock and the log use it. */
  wallMs(): number;
}

/** Opaque; `undefined` is never a handle, so a field may say "no timer". */
export type TimerHandle = object | number;

export interface Timers {
  /** Calls back once, `delayMs` or a little more from now; 0 means the next turn or later. */
  set(delayMs: number, callback: () => void): TimerHandle;
  /** A handle that has fired or was cleared is fine. */
  clear(handle: TimerHandle): void;
  /** Runs `callback` after what is ready in this turn of the event loop (setImmediate). */
  defer(callback: () => void): void;
}

/** Chance for everything that needs no secrecy: jitter, picking peers. Seeded in simulation. */
export interface Random {
  /** A uniform integer in [0, 2^32). */
  uint32(): number;
}

/** Entropy for tokens, tenures and keys: from the system, or seeded in simulation. */
export interface Secrets {
  /** Fills all of `bytes`. */
  fill(bytes: Uint8Array): void;
}

/** HMAC-SHA-256 of `bytes` under `key`: 32 bytes. Pure; a part of the runtime because the code is the system's. */
export type Mac = (key: Uint8Array, bytes: Uint8Array) => Buffer;

export interface Address {
  readonly host: string;
  /** 0 when listening: any free port, told by `Listener.port`. */
  readonly port: number;
}

/** What a socket tells its owner. Never called again after `closed`. */
export interface SocketHandlers {
  /** Of a dialled socket only: it may be written to at once, and this says that the other end has answered. */
  connected?(): void;
  /** Bytes in order. `chunk` is valid only during the call: its memory may be reused. Copy what is kept. */
  data(chunk: Buffer): void;
  /** After a `write` that answered false: the buffered bytes have gone to the system. */
  drained?(): void;
  /**
   * The other end will send no more. What is written still goes out; a handler that is absent means: `end` in return.
   */
  ended?(): void;
  /** Exactly once, whoever closed it. `error` (with Node's `code`) when it did not close in the ordinary way. */
  closed(error?: Error): void;
}

export interface Socket {
  /** `host:port` of the other end, as well as it is known. For the log. */
  readonly remoteAddress: string;
  /** Bytes written and not yet handed to the system. */
  readonly bufferedBytes: number;
  /** Sets or replaces the handlers. An accepted socket delivers nothing before it; called within `accept`. */
  handle(handlers: SocketHandlers): void;
  /**
   * Takes all of `bytes` (which must not be changed until `drained`, or ever, if they are not copied first).
   * False: more than the socket's high-water mark waits; go on after `drained`. After the end it is ignored.
   */
  write(bytes: Uint8Array): boolean;
  /** No `data` until `resume`; what has arrived waits, and then the sender is held back. */
  pause(): void;
  resume(): void;
  /** Sends what waits, then says that no more will come. The other direction stays open. */
  end(): void;
  /** Closes both directions at once, what waits is lost; `closed` follows. */
  destroy(): void;
}

export interface Listener {
  readonly port: number;
  /** Takes no more connections; those there are stay. */
  close(done: () => void): void;
}

export interface Network {
  /** `done(error)` with code EADDRINUSE, EADDRNOTAVAIL, EACCES, …; or with the listener. `accept` must call `handle`. */
  listen(address: Address, accept: (socket: Socket) => void, done: (error?: Error, listener?: Listener) => void): void;
  /** Never fails here: a connection that cannot be made ends in `handlers.closed(error)`, code ECONNREFUSED, … */
  connect(address: Address, handlers: SocketHandlers): Socket;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** `event` is a constant in kebab-case; what varies goes into `fields`. Never throws. */
export type Log = (level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly secrets: Secrets;
  readonly mac: Mac;
  readonly network: Network;
  readonly fileSystem: FileSystem;
  readonly tasks: TaskRunner;
  readonly log: Log;
  /** Marks that an interesting place was reached; the simulator counts them. */
  probe?(name: string): void;
}
