/**
 * The deadlines of all requests of one coordinator: a binary heap of (at, stream).
 *
 * Nothing is ever searched or removed from the middle. A deadline that is no longer meant (its request has ended, or waits
 * for another moment now) stays until it reaches the top, where `live` tells it apart and it is dropped. Requests end mostly
 * in the order in which they began, so the heap stays about as long as the table of requests.
 *
 * Invariant: while there is a live deadline, `wakeAt` has been called for it or for an earlier moment that is yet to come.
 */
import type { Millis, Wakeups } from './effects.ts';

/** What a message says of the time left: whole milliseconds, and 0 when a late tick has let the deadline pass. */
export function remainingMs(deadline: Millis, now: Millis): number {
  return Math.max(0, Math.ceil(deadline - now));
}

export class DeadlineQueue {
  readonly #ats: Millis[] = [];
  readonly #streams: number[] = [];
  readonly #wakeups: Wakeups;
  readonly #live: (stream: number, at: Millis) => boolean;
  /** The earliest moment for which a wake-up is under way. */
  #asked: Millis = Infinity;
  #draining = false;

  constructor(wakeups: Wakeups, live: (stream: number, at: Millis) => boolean) {
    this.#wakeups = wakeups;
    this.#live = live;
  }

  get length(): number {
    return this.#ats.length;
  }

  schedule(at: Millis, stream: number): void {
    this.#prune();
    this.#up(this.#ats.length, at, stream);
    this.#arm();
  }

  /** Calls `handle` with every stream whose deadline has come, in order; it may schedule more, also for now. */
  drain(now: Millis, handle: (stream: number) => void): void {
    if (this.#asked <= now) this.#asked = Infinity;
    this.#draining = true;
    try {
      for (let stream = this.#takeDue(now); stream !== undefined; stream = this.#takeDue(now)) handle(stream);
    } finally {
      this.#draining = false;
      this.#arm();
    }
  }

  #takeDue(now: Millis): number | undefined {
    this.#prune();
    const at = this.#ats[0];
    if (at === undefined || at > now) return undefined;
    const stream = this.#streams[0] as number;
    this.#pop();
    return stream;
  }

  #arm(): void {
    const at = this.#ats[0];
    // While draining, what is due is about to be handled: asking for it would wake the node for nothing.
    if (this.#draining || at === undefined || at >= this.#asked) return;
    this.#asked = at;
    this.#wakeups.wakeAt(at);
  }

  #prune(): void {
    while (this.#ats.length > 0 && !this.#live(this.#streams[0] as number, this.#ats[0] as number)) this.#pop();
  }

  #pop(): void {
    const at = this.#ats.pop() as number;
    const stream = this.#streams.pop() as number;
    if (this.#ats.length > 0) this.#down(at, stream);
  }

  #up(from: number, at: Millis, stream: number): void {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if ((this.#ats[parent] as number) <= at) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#ats[hole] = at;
    this.#streams[hole] = stream;
  }

  #down(at: Millis, stream: number): void {
    let hole = 0;
    for (;;) {
      const child = this.#smallerChild(hole);
      if (child === undefined || (this.#ats[child] as number) >= at) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#ats[hole] = at;
    this.#streams[hole] = stream;
  }

  #smallerChild(parent: number): number | undefined {
    const left = parent * 2 + 1;
    if (left >= this.#ats.length) return undefined;
    const right = left + 1;
    return right < this.#ats.length && (this.#ats[right] as number) < (this.#ats[left] as number) ? right : left;
  }

  #move(from: number, to: number): void {
    this.#ats[to] = this.#ats[from] as number;
    this.#streams[to] = this.#streams[from] as number;
  }
}
