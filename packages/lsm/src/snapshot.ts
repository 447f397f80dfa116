/** Snapshots: sequence numbers that compaction must keep readable until they are released. */

/** A state to read from, as it was when it was made. Release it, or use `using`. */
export class Snapshot implements Disposable {
  readonly sequence: number;
  #release: (() => void) | undefined;

  constructor(sequence: number, release: () => void) {
    this.sequence = sequence;
    this.#release = release;
  }

  get isReleased(): boolean {
    return this.#release === undefined;
  }

  /** Reading from it afterwards is an error. Releasing twice is not. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

export class SnapshotList {
  readonly #open = new Map<number, number>();

  take(sequence: number): Snapshot {
    this.#open.set(sequence, (this.#open.get(sequence) ?? 0) + 1);
    return new Snapshot(sequence, () => {
      const left = (this.#open.get(sequence) as number) - 1;
      if (left === 0) this.#open.delete(sequence);
      else this.#open.set(sequence, left);
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /** Ascending, each once. */
  sequences(): number[] {
    return [...this.#open.keys()].sort((a, b) => a - b);
  }
}
