/**
 * Several machines, a virtual clock, and the messages between them. Nothing runs by itself: `run` moves time to the next message
 * or wake-up. Messages can be lost, repeated and delayed, links cut, nodes stopped.
 */
import type { Millis, Sender, Wakeups } from '../../src/effects.ts';
import type { Message, NodeId } from '../../src/messages.ts';
import { below, type Random } from '../../src/random.ts';

export interface Machine {
  tick(now: Millis): void;
  receive(from: NodeId, message: Message, now: Millis): void;
}

interface Event {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

export interface WorldOptions {
  readonly random: Random;
  /** Of each message, in 0..1. */
  readonly loss?: number;
  readonly repetition?: number;
  readonly delayMs?: number;
  readonly delayMsMax?: number;
}

export class World {
  now: Millis = 0;
  loss: number;
  repetition: number;
  sent = 0;
  /** Whether a message may pass now. */
  link: (from: NodeId, to: NodeId) => boolean = () => true;
  /** Sees every message that is delivered. */
  onDelivery: (from: NodeId, to: NodeId, message: Message) => void = () => {};
  readonly stopped = new Set<NodeId>();
  readonly machines = new Map<NodeId, Machine>();
  readonly #options: WorldOptions;
  #events: Event[] = [];
  #order = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.loss = options.loss ?? 0;
    this.repetition = options.repetition ?? 0;
  }

  /** The sink of one node's machine. */
  outOf(node: NodeId): Sender & Wakeups {
    return {
      send: (to, message) => this.#send(node, to, message),
      wakeAt: (at) => this.at(Math.max(at, this.now), () => this.#alive(node)?.tick(this.now)),
    };
  }

  at(at: Millis, run: () => void): void {
    this.#events.push({ at, order: this.#order++, run });
  }

  /** Runs all that is due until `until`. */
  run(until: Millis): void {
    for (;;) {
      const next = this.#takeNext(until);
      if (next === undefined) break;
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    this.now = until;
  }

  #takeNext(until: Millis): Event | undefined {
    let best = -1;
    for (let i = 0; i < this.#events.length; i++) {
      const a = this.#events[i]!;
      const b = this.#events[best];
      if (a.at <= until && (b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order))) best = i;
    }
    return best < 0 ? undefined : this.#events.splice(best, 1)[0];
  }

  #alive(node: NodeId): Machine | undefined {
    return this.stopped.has(node) ? undefined : this.machines.get(node);
  }

  #send(from: NodeId, to: NodeId, message: Message): void {
    this.sent++;
    const copies = this.#chance(this.loss) ? 0 : this.#chance(this.repetition) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.at(this.now + this.#delay(), () => {
        const machine = this.#alive(to);
        if (machine === undefined || this.stopped.has(from) || !this.link(from, to)) return;
        this.onDelivery(from, to, message);
        machine.receive(from, message, this.now);
      });
    }
  }

  #chance(probability: number): boolean {
    return this.#options.random.uint32() < probability * 0x100000000;
  }

  #delay(): number {
    const { random, delayMs = 1, delayMsMax = delayMs } = this.#options;
    return delayMs + below(random, delayMsMax - delayMs + 1);
  }
}
