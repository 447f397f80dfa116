/**
 * A version vector: for each actor, how far its writes to one record have been seen.
 *
 * Invariants: actors ascend strictly by their bytes; counters are 1 to 2^53 - 1; a vector never changes. Hence one
 * vector has one encoding. "(A, c)" means all that A issued *for this record* up to c; counters of one actor have gaps,
 * for one sequence serves all records of a node, so a vector says nothing about any other record.
 */
import { ACTOR_BYTES, type Actor, COUNTER_MAX, type Dot, formatActor } from './dot.ts';
import { ByteReader, varintLength, writeVarint } from './encoding.ts';

/** Bytes of the shortest entry: an actor and a one-byte counter. */
const ENTRY_BYTES_MIN = ACTOR_BYTES + 1;

export class VersionVector {
  static readonly EMPTY = new VersionVector([], []);

  readonly #actors: readonly Actor[];
  readonly #counters: readonly number[];

  private constructor(actors: readonly Actor[], counters: readonly number[]) {
    this.#actors = actors;
    this.#counters = counters;
  }

  /**
   * From entries in any order; of several for one actor the highest counts. Throws RangeError for a counter out of
   * range.
   */
  static of(entries: Iterable<readonly [Actor, number]>): VersionVector {
    let vector = VersionVector.EMPTY;
    for (const [actor, counter] of entries) vector = vector.with({ actor, counter });
    return vector;
  }

  /** The whole of `bytes`. Throws REPLICATION_BAD_CONTEXT for what `encode` would not have written. */
  static decode(bytes: Uint8Array): VersionVector {
    const reader = new ByteReader(bytes, 'REPLICATION_BAD_CONTEXT');
    const vector = VersionVector.read(reader);
    reader.end();
    return vector;
  }

  /** The vector at the reader; errors carry the reader's code. */
  static read(reader: ByteReader): VersionVector {
    const size = reader.count(ENTRY_BYTES_MIN);
    if (size === 0) return VersionVector.EMPTY;
    const actors: Actor[] = [];
    const counters: number[] = [];
    let previous = '';
    for (let i = 0; i < size; i++) {
      const actor = reader.latin1(ACTOR_BYTES) as Actor;
      if (actor <= previous) reader.fail('actors do not ascend');
      const counter = reader.varint();
      if (counter === 0) reader.fail('counter is zero');
      actors.push(actor);
      counters.push(counter);
      previous = actor;
    }
    return new VersionVector(actors, counters);
  }

  get size(): number {
    return this.#actors.length;
  }

  get isEmpty(): boolean {
    return this.#actors.length === 0;
  }

  /** The highest counter seen of the actor; 0 = nothing. */
  get(actor: Actor): number {
    const index = this.indexOf(actor);
    return index < 0 ? 0 : (this.#counters[index] as number);
  }

  /** Position of the actor among the sorted actors, or -1. Vectors are short: a walk beats a search. */
  indexOf(actor: Actor): number {
    return this.#actors.indexOf(actor);
  }

  /** `index` below `size`. */
  actorAt(index: number): Actor {
    return this.#actors[index] as Actor;
  }

  /** `index` below `size`. */
  counterAt(index: number): number {
    return this.#counters[index] as number;
  }

  covers(dot: Dot): boolean {
    return dot.counter <= this.get(dot.actor);
  }

  /** True when all that `other` has seen is seen here too: this vector dominates it or is equal. */
  includes(other: VersionVector): boolean {
    if (other === this) return true;
    let i = 0;
    for (let j = 0; j < other.size; j++) {
      const actor = other.actorAt(j);
      while (i < this.size && this.actorAt(i) < actor) i++;
      if (i === this.size || this.actorAt(i) !== actor || this.counterAt(i) < other.counterAt(j)) return false;
      i++;
    }
    return true;
  }

  /** The least vector that includes both; one of the two themselves where that is it. */
  join(other: VersionVector): VersionVector {
    if (this.includes(other)) return this;
    if (other.includes(this)) return other;
    const actors: Actor[] = [];
    const counters: number[] = [];
    let i = 0;
    let j = 0;
    while (i < this.size || j < other.size) {
      const mine = i < this.size ? this.actorAt(i) : undefined;
      const theirs = j < other.size ? other.actorAt(j) : undefined;
      const takeMine = mine !== undefined && (theirs === undefined || mine <= theirs);
      const takeTheirs = theirs !== undefined && (mine === undefined || theirs <= mine);
      actors.push((takeMine ? mine : theirs) as Actor);
      counters.push(Math.max(takeMine ? this.counterAt(i++) : 0, takeTheirs ? other.counterAt(j++) : 0));
    }
    return new VersionVector(actors, counters);
  }

  /** This vector with everything of the dot's actor up to the dot. Throws RangeError for a counter out of range. */
  with(dot: Dot): VersionVector {
    if (!(dot.counter >= 1 && dot.counter <= COUNTER_MAX)) throw new RangeError(`counter ${dot.counter}`);
    const index = this.indexOf(dot.actor);
    if (index >= 0 && this.counterAt(index) >= dot.counter) return this;
    const actors = this.#actors.slice();
    const counters = this.#counters.slice();
    if (index >= 0) {
      counters[index] = dot.counter;
    } else {
      let at = 0;
      while (at < actors.length && (actors[at] as Actor) < dot.actor) at++;
      actors.splice(at, 0, dot.actor);
      counters.splice(at, 0, dot.counter);
    }
    return new VersionVector(actors, counters);
  }

  equals(other: VersionVector): boolean {
    if (other === this) return true;
    if (this.size !== other.size) return false;
    for (let i = 0; i < this.size; i++) {
      if (this.actorAt(i) !== other.actorAt(i) || this.counterAt(i) !== other.counterAt(i)) return false;
    }
    return true;
  }

  *entries(): Generator<readonly [Actor, number]> {
    for (let i = 0; i < this.size; i++) yield [this.actorAt(i), this.counterAt(i)];
  }

  get encodedLength(): number {
    let length = varintLength(this.size);
    for (let i = 0; i < this.size; i++) length += ACTOR_BYTES + varintLength(this.counterAt(i));
    return length;
  }

  /** docs/formats.md "Records": version vector. */
  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(this.encodedLength);
    this.writeTo(bytes, 0);
    return bytes;
  }

  /** Writes `encodedLength` bytes; returns the offset behind them. */
  writeTo(target: Buffer, at: number): number {
    at = writeVarint(target, at, this.size);
    for (let i = 0; i < this.size; i++) {
      target.write(this.actorAt(i), at, ACTOR_BYTES, 'latin1');
      at = writeVarint(target, at + ACTOR_BYTES, this.counterAt(i));
    }
    return at;
  }

  /** For people. */
  toString(): string {
    return `{${[...this.entries()].map(([actor, counter]) => `${formatActor(actor)}@${counter}`).join(' ')}}`;
  }
}
