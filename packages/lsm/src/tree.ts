/**
 * What a read looks at, from new to old: the active memtable, the sealed ones, the tables of the current version. It
 * changes in one step of the main thread: a flushed memtable goes in the same turn in which its table comes.
 */
import { strict as assert } from 'node:assert';
import { EMPTY_ARENA_BYTES, Memtable } from './memtable/memtable.ts';
import type { ArenaPool } from './memtable/arena-pool.ts';
import type { Random } from './timers.ts';
import type { VersionSet } from './version/version-set.ts';
import type { Version } from './version/version.ts';

/** A memtable, the log that holds the same entries, and how many hold it. */
export interface Generation {
  readonly memtable: Memtable;
  readonly logNumber: number;
  holders: number;
}

/** A state that stays readable until it is released. */
export interface TreeView {
  readonly sequence: number;
  readonly generations: readonly Generation[];
  readonly version: Version;
}

export interface TreeDependencies {
  readonly versions: VersionSet;
  readonly arenas: ArenaPool;
  readonly random: Random;
}

export class Tree {
  readonly versions: VersionSet;
  readonly #arenas: ArenaPool;
  readonly #random: Random;
  #active: Generation;
  #sealed: readonly Generation[] = [];
  #lastSequence: number;

  constructor({ versions, arenas, random }: TreeDependencies, lastSequence: number, logNumber: number) {
    this.versions = versions;
    this.#arenas = arenas;
    this.#random = random;
    this.#lastSequence = lastSequence;
    this.#active = this.#generation(logNumber, 0);
  }

  get active(): Memtable {
    return this.#active.memtable;
  }

  get activeLogNumber(): number {
    return this.#active.logNumber;
  }

  /** Newest first. */
  get sealed(): readonly Generation[] {
    return this.#sealed;
  }

  /** Every entry up to it is visible. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  advance(entries: number): void {
    this.#lastSequence += entries;
    assert.ok(Number.isSafeInteger(this.#lastSequence), 'sequence numbers are used up');
  }

  /** Seals the active memtable, which must hold something, and starts another, with room for `bytesMin`. */
  rotate(logNumber: number, bytesMin: number): void {
    assert.ok(this.#active.memtable.entries > 0, 'an empty memtable cannot be flushed');
    this.#sealed = [this.#active, ...this.#sealed];
    this.#active = this.#generation(logNumber, bytesMin);
  }

  /** Gives the active memtable, which must be empty, room for `bytesMin`. Who views the old one sees it empty still. */
  enlargeEmpty(bytesMin: number): void {
    const empty = this.#active;
    assert.equal(empty.memtable.entries, 0, 'only an empty memtable can be replaced');
    this.#active = this.#generation(empty.logNumber, bytesMin);
    this.#leave(empty);
  }

  /** The oldest sealed memtable is in tables now. */
  dropOldest(): void {
    const oldest = this.#sealed.at(-1);
    assert.ok(oldest !== undefined);
    this.#sealed = this.#sealed.slice(0, -1);
    this.#leave(oldest);
  }

  /** Log of the oldest memtable that is left once the oldest sealed one is dropped. */
  get logNumberAfterOldest(): number {
    return (this.#sealed.at(-2) ?? this.#active).logNumber;
  }

  /** Holds memtables and version until `release`. */
  view(sequence: number): TreeView {
    const generations = [this.#active, ...this.#sealed];
    for (const generation of generations) generation.holders++;
    const version = this.versions.current;
    this.versions.retain(version);
    return { sequence, generations, version };
  }

  release(view: TreeView): void {
    for (const generation of view.generations) this.#leave(generation);
    this.versions.release(view.version);
  }

  #generation(logNumber: number, bytesMin: number): Generation {
    const arena = this.#arenas.take(bytesMin);
    return { memtable: new Memtable(arena, EMPTY_ARENA_BYTES, this.#random.uint32()), logNumber, holders: 1 };
  }

  #leave(generation: Generation): void {
    generation.holders--;
    if (generation.holders === 0) this.#arenas.give(generation.memtable.arena);
  }
}
