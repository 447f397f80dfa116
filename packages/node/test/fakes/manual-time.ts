/** A clock with timers that the test moves. Callbacks run in order of their time, then of their making. */
import type { Clock, TimerHandle, Timers } from '../../src/runtime.ts';

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualTime implements Clock, Timers {
  #now = 1000;
  #order = 0;
  #waiting: Waiting[] = [];

  monotonicMs(): number {
    return this.#now;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#now;
  }

  set(delayMs: number, callback: () => void): TimerHandle {
    const waiting = { at: this.#now + Math.max(delayMs, 0), order: this.#order++, callback };
    this.#waiting.push(waiting);
    return waiting;
  }

  clear(handle: TimerHandle): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== handle);
  }

  defer(callback: () => void): void {
    this.set(0, callback);
  }

  /** Timers that have been set and have not fired. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Runs all that is due within the next `ms`, also what that brings about. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }

  #next(until: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.at > until) continue;
      if (!first || waiting.at < first.at || (waiting.at === first.at && waiting.order < first.order)) first = waiting;
    }
    return first;
  }
}
