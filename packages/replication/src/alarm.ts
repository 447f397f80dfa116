/**
 * One outstanding wake-up for a machine with several deadlines: it asks only when the earliest moves forward, and names its
 * earliest deadline again after each ring. So a driver may keep a timer per machine, or all requests, as it likes.
 */
import type { Millis, Wakeups } from './effects.ts';

export class Alarm {
  readonly #wakeups: Wakeups;
  #atMs: Millis = Infinity;

  constructor(wakeups: Wakeups) {
    this.#wakeups = wakeups;
  }

  /** Sees to it that the machine is woken at `at` or earlier. Infinity asks for nothing. */
  set(at: Millis): void {
    if (at >= this.#atMs) return;
    this.#atMs = at;
    this.#wakeups.wakeAt(at);
  }

  /** To be called first in each tick; the machine then sets its earliest deadline anew. */
  rang(now: Millis): void {
    if (now >= this.#atMs) this.#atMs = Infinity;
  }
}
