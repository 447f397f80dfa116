/**
 * Events one after the other: what is asked for while one runs waits until it has ended, so that no machine is entered twice.
 * An event that throws takes those that wait with it: the node is broken then, and its process ends.
 */
export class Turn {
  readonly #waiting: (() => void)[] = [];
  #running = false;

  /** Runs the event and what it leaves behind, or leaves it to the one that is running. */
  run(event: () => void): void {
    this.#waiting.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = 0; next < this.#waiting.length; next++) (this.#waiting[next] as () => void)();
    } finally {
      this.#waiting.length = 0;
      this.#running = false;
    }
  }
}
