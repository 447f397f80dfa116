/**
 * One timer for all machines. `at` asks for a ring at that time or soon after; every time asked for gets its ring, and an
 * earlier one does not take its place: machines ask once and rely on it.
 *
 * Invariants: the timer is set for the earliest time asked for; after `stop` none is, whatever is still asked.
 */
import type { Clock, TimerHandle, Timers } from './runtime.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #ring: () => void;
  /** Descending, each once. Few: a machine asks only when its earliest deadline moves forward. */
  readonly #times: number[] = [];
  #handle: TimerHandle | undefined;
  #stopped = false;

  constructor(clock: Clock, timers: Timers, ring: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#ring = ring;
  }

  at(time: number): void {
    if (this.#stopped || !(time < Number.POSITIVE_INFINITY)) return;
    let place = this.#times.length;
    while (place > 0 && (this.#times[place - 1] as number) < time) place--;
    if (this.#times[place - 1] === time) return;
    this.#times.splice(place, 0, time);
    if (place === this.#times.length - 1) this.#arm();
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    this.#times.length = 0;
    this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    const next = this.#times.at(-1);
    if (next === undefined) return;
    this.#handle = this.#timers.set(Math.max(0, next - this.#clock.monotonicMs()), () => this.#fired());
  }

  #disarm(): void {
    if (this.#handle !== undefined) this.#timers.clear(this.#handle);
    this.#handle = undefined;
  }

  /** Armed again before it rings, so that nothing is lost to a ring that throws; a timer that was early rings nobody. */
  #fired(): void {
    this.#handle = undefined;
    const now = this.#clock.monotonicMs();
    let isDue = false;
    for (; (this.#times.at(-1) ?? Number.POSITIVE_INFINITY) <= now; isDue = true) this.#times.pop();
    this.#arm();
    if (isDue) this.#ring();
  }
}
