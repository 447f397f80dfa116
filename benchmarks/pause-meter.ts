/** The longest time for which the event loop did not turn: what everybody else in the process had to wait. */
import { performance } from 'node:perf_hooks';

const INTERVAL_MS = 1;

export class PauseMeter {
  #last = performance.now();
  #longestMs = 0;
  readonly #timer = setInterval(() => this.#look(), INTERVAL_MS);

  /** Answers the longest pause; a loop that never turned has paused from start to end. */
  stop(): number {
    this.#look();
    clearInterval(this.#timer);
    return Math.max(0, this.#longestMs - INTERVAL_MS);
  }

  #look(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#last);
    this.#last = now;
  }
}
