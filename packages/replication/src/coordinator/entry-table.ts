/**
 * The requests in flight of one coordinator, by stream. Entries that have been released are used again, so that a request
 * costs no allocation of its own state.
 *
 * Since an entry may be released and taken by another request while a loop still looks at it, "is it still mine" is asked
 * with the stream: `holds`.
 */
export interface Clearable {
  /** Lets go of all that is large. */
  clear(): void;
}

/** Entries kept for reuse; a burst beyond it is left to the garbage collector. */
const FREE_ENTRIES_MAX = 1024;

export class EntryTable<E extends Clearable> {
  readonly #entries = new Map<number, E>();
  readonly #free: E[] = [];
  readonly #create: () => E;

  constructor(create: () => E) {
    this.#create = create;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(stream: number): E | undefined {
    return this.#entries.get(stream);
  }

  /** All that are in flight; entries may be taken and released meanwhile. */
  [Symbol.iterator](): IterableIterator<[number, E]> {
    return this.#entries[Symbol.iterator]();
  }

  /** An entry for the stream, as its last user left it. Throws RangeError if the stream is in use: a mistake of the driver. */
  take(stream: number): E {
    if (this.#entries.has(stream)) throw new RangeError(`stream ${stream} is in use`);
    const entry = this.#free.pop() ?? this.#create();
    this.#entries.set(stream, entry);
    return entry;
  }

  /** The entry still serves this stream. */
  holds(entry: E, stream: number): boolean {
    return this.#entries.get(stream) === entry;
  }

  /** Does nothing if the entry does not serve the stream any more. */
  release(entry: E, stream: number): void {
    if (!this.holds(entry, stream)) return;
    this.#entries.delete(stream);
    entry.clear();
    if (this.#free.length < FREE_ENTRIES_MAX) this.#free.push(entry);
  }
}
