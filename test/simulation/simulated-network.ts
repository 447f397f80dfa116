/**
 * A network of hosts over virtual time. A connection carries segments, one for each write, after a drawn delay and in order; a
 * receiver's memory is poisoned after its callback. What can go wrong, all drawn from the seed:
 *
 * - `cut(from, to)`: nothing gets from one host to the other. As TCP would, the segments wait and arrive after `mend`, if anybody is
 *   left to take them; so a connection looks alive and is not, one way or both.
 * - loss, repetition, reordering of whole segments. The peers write whole frames, and must cope with each of these. A lost segment is
 *   lost silently, or its connection with it.
 * - on connections that are not so treated, segments are cut at arbitrary bytes.
 * - a host without power answers nothing; one whose process has died resets what arrives and refuses connections.
 */
import type { Address, Listener, Network, Socket } from '../../packages/node/src/runtime.ts';
import type { RandomStream } from './random.ts';
import { EVENT, type Scheduler } from './scheduler.ts';
import { type Segment, SimulatedSocket } from './simulated-socket.ts';

export interface NetworkFaults {
  /** Of a segment: probabilities. */
  loss: number;
  duplication: number;
  reordering: number;
  /** Of a lost segment: that the connection goes with it. */
  reset: number;
  /** Of a new connection: that its segments are cut at arbitrary bytes instead of the above. */
  splitting: number;
}

export const NO_FAULTS: Readonly<NetworkFaults> = { loss: 0, duplication: 0, reordering: 0, reset: 0, splitting: 0 };

export interface NetworkCounters {
  segments: number;
  lost: number;
  duplicated: number;
  reordered: number;
  split: number;
  /** Arrived at a cut, and had to wait. */
  held: number;
  resets: number;
  refused: number;
}

interface Listening {
  readonly process: HostProcess;
  readonly accept: (socket: Socket) => void;
}

/** One life of a host's process: what it has on the network goes with it. */
export class HostProcess {
  readonly host: string;
  readonly node: number;
  alive = true;

  constructor(host: string, node: number) {
    this.host = host;
    this.node = node;
  }
}

const FIRST_FREE_PORT = 40_000;

export class SimulatedNetwork {
  readonly scheduler: Scheduler;
  readonly random: RandomStream;
  readonly highWaterBytes = 64 * 1024;
  readonly faults: NetworkFaults = { ...NO_FAULTS };
  readonly counters: NetworkCounters = {
    segments: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    split: 0,
    held: 0,
    resets: 0,
    refused: 0,
  };
  /** Hosts to and from which everything takes so many times longer. */
  readonly slowness = new Map<string, number>();
  readonly #listening = new Map<string, Listening>();
  readonly #sockets = new Set<SimulatedSocket>();
  readonly #cuts = new Set<string>();
  readonly #powerless = new Set<string>();
  #nextPort = FIRST_FREE_PORT;

  constructor(scheduler: Scheduler, random: RandomStream) {
    this.scheduler = scheduler;
    this.random = random;
  }

  /** The network as a process on a host sees it. */
  networkOf(process: HostProcess): Network {
    return {
      listen: (address, accept, done) => this.#listen(process, address, accept, done),
      connect: (address, handlers) => {
        const near = this.#pair(process, address);
        near.handle(handlers);
        near.dial(() => this.#arrive(near, address));
        return near;
      },
    };
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }

  mend(from: string, to: string): void {
    this.#cuts.delete(`${from}>${to}`);
    for (const socket of [...this.#sockets]) socket.release();
  }

  mendAll(): void {
    this.#cuts.clear();
    for (const socket of [...this.#sockets]) socket.release();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`);
  }

  hasPower(host: string): boolean {
    return !this.#powerless.has(host);
  }

  /** The process is gone. `silently`: the power is, so that nobody is told until it is back. */
  kill(process: HostProcess, silently: boolean): void {
    process.alive = false;
    if (silently) this.#powerless.add(process.host);
    for (const [key, listening] of this.#listening) if (listening.process === process) this.#listening.delete(key);
    for (const socket of [...this.#sockets]) if (socket.process === process) socket.vanish(silently);
  }

  powerOn(host: string): void {
    this.#powerless.delete(host);
  }

  /** Sockets that are there, of all hosts. */
  get sockets(): number {
    return this.#sockets.size;
  }

  add(socket: SimulatedSocket): void {
    this.#sockets.add(socket);
  }

  forget(socket: SimulatedSocket): void {
    this.#sockets.delete(socket);
  }

  delayMs(from: string, to: string): number {
    const factor = (this.slowness.get(from) ?? 1) * (this.slowness.get(to) ?? 1);
    return (0.05 + this.random.exponential(0.25)) * factor;
  }

  /** What becomes of a segment of data, beside its delay. */
  fate(): 'arrive' | 'lose' | 'repeat' | 'delay' {
    const { loss, duplication, reordering } = this.faults;
    if (loss + duplication + reordering === 0) return 'arrive';
    const drawn = this.random.fraction();
    if (drawn < loss) return 'lose';
    if (drawn < loss + duplication) return 'repeat';
    return drawn < loss + duplication + reordering ? 'delay' : 'arrive';
  }

  #listen(
    process: HostProcess,
    address: Address,
    accept: (socket: Socket) => void,
    done: (error?: Error, listener?: Listener) => void,
  ): void {
    const port = address.port || this.#nextPort++;
    const key = `${address.host}:${port}`;
    const later = (callback: () => void): void => {
      this.scheduler.after(0, { node: process.node, kind: EVENT.socket }, () => {
        if (process.alive) callback();
      });
    };
    if (this.#listening.has(key)) return later(() => done(networkError('EADDRINUSE', `listen ${key}`)));
    const listening = { process, accept };
    this.#listening.set(key, listening);
    const close = (closed: () => void): void => {
      if (this.#listening.get(key) === listening) this.#listening.delete(key);
      later(closed);
    };
    later(() => done(undefined, { port, close }));
  }

  #pair(process: HostProcess, address: Address): SimulatedSocket {
    const near = new SimulatedSocket(this, process, process.host, `${address.host}:${address.port}`);
    const far = new SimulatedSocket(this, undefined, address.host, `${process.host}:${this.#nextPort++}`);
    near.join(far);
    const split = this.random.chance(this.faults.splitting);
    near.isSplit = split;
    far.isSplit = split;
    this.#sockets.add(near);
    return near;
  }

  /** The call has reached the host. */
  #arrive(near: SimulatedSocket, address: Address): void {
    const key = `${address.host}:${address.port}`;
    const listening = this.#listening.get(key);
    if (near.isClosed) return;
    if (listening === undefined) {
      this.counters.refused++;
      near.other.answer({ kind: 'refuse', error: networkError('ECONNREFUSED', `connect ${key}`) });
      return;
    }
    near.other.accepted(listening.process);
    listening.accept(near.other);
    near.other.answer({ kind: 'accept' });
  }
}

export function networkError(code: string, call: string): Error {
  return Object.assign(new Error(`${call} ${code}`), { code });
}

export type { Segment };
