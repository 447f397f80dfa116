/**
 * Arenas for memtables, used again: the first touch of a fresh page costs more than many inserts into it.
 * Arenas of another size than the pool's (for one large batch) are made and dropped.
 */
import { SkipList } from './skiplist.ts';

export class ArenaPool {
  readonly arenaBytes: number;
  readonly #keepMax: number;
  readonly #free: SharedArrayBuffer[] = [];

  constructor(arenaBytes: number, keepMax: number) {
    this.arenaBytes = arenaBytes;
    this.#keepMax = keepMax;
  }

  /** An empty arena of the pool's size, or larger if that is not enough. */
  take(bytesMin = 0): SharedArrayBuffer {
    const wanted = Math.max(this.arenaBytes, (bytesMin + 7) & ~7);
    const arena = (wanted === this.arenaBytes ? this.#free.pop() : undefined) ?? new SharedArrayBuffer(wanted);
    SkipList.format(arena);
    return arena;
  }

  /** The caller must know that nobody reads the arena any more, a worker included. */
  give(arena: SharedArrayBuffer): void {
    if (arena.byteLength === this.arenaBytes && this.#free.length < this.#keepMax) this.#free.push(arena);
  }
}
