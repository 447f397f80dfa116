/**
 * This node's own connection to one peer: dialled, and dialled again for ever, with waits that double up to a bound and are
 * spread by chance, so that the nodes of a cluster do not all call a returned one in the same instant.
 */
import type { Random, TimerHandle, Timers } from '../runtime.ts';
import type { TransportOptions } from './options.ts';
import type { PeerConnection } from './peer-connection.ts';

export interface PeerLinkDependencies {
  readonly timers: Timers;
  readonly random: Random;
  /** Begins a connection to the peer; its end is told by `lost`. */
  readonly dial: (link: PeerLink) => PeerConnection;
}

export class PeerLink {
  readonly id: string;
  /** Why the last attempt was refused, by either side; `undefined` once one has succeeded. */
  refusal: string | undefined;
  readonly #options: Required<TransportOptions>;
  readonly #dependencies: PeerLinkDependencies;
  #connection: PeerConnection | undefined;
  #timer: TimerHandle | undefined;
  #attempts = 0;
  #stopped = false;

  constructor(id: string, options: Required<TransportOptions>, dependencies: PeerLinkDependencies) {
    this.id = id;
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** The connection that can be sent on now. */
  get open(): PeerConnection | undefined {
    return this.#connection?.isOpen ? this.#connection : undefined;
  }

  /** Dials, unless it does or has done so already. A wait is cut short: the peer has given a sign of life. */
  dial(): void {
    if (this.#stopped || this.#connection) return;
    this.#clearTimer();
    this.#connection = this.#dependencies.dial(this);
  }

  /** The connection is no longer of use. `livedMs`: how long it was open, 0 if never. */
  lost(connection: PeerConnection, livedMs: number): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    // A peer that accepts and breaks at once is not called in a tight loop.
    if (livedMs >= this.#options.reconnectMaxMs) this.#attempts = 0;
    if (!this.#stopped) this.#dialLater();
  }

  /** Ends the link and its connection. */
  stop(): void {
    this.#stopped = true;
    this.#clearTimer();
    this.#connection?.finish();
  }

  #dialLater(): void {
    const { reconnectMinMs, reconnectMaxMs } = this.#options;
    const waitMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(this.#attempts++, 16));
    const spread = 0.5 + this.#dependencies.random.uint32() / 0x200000000;
    this.#timer = this.#dependencies.timers.set(waitMs * spread, () => {
      this.#timer = undefined;
      this.dial();
    });
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#dependencies.timers.clear(this.#timer);
    this.#timer = undefined;
  }
}
