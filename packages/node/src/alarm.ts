/** One timer for all machines: `at` asks for a ring at that time or soon after; the earliest asked for wins. */
import type { Clock, TimerHandle, Timers } from './runtime.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #ring: () => void;
  #handle: TimerHandle | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, timers: Timers, ring: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#ring = ring;
  }

  at(time: number): void {
    if (time >= this.#at) return;
    this.stop();
    this.#at = time;
    this.#handle = this.#timers.set(Math.max(0, time - this.#clock.monotonicMs()), () => {
      this.#handle = undefined;
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  stop(): void {
    if (this.#handle !== undefined) this.#timers.clear(this.#handle);
    this.#handle = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
