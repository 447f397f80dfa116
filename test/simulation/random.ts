/**
 * All chance of a simulation comes from one seed, in independent streams by purpose: that the disk of one node draws a number
 * more does not change what the network or the workload draws.
 */
import { crc32 } from 'node:zlib';

/** sfc32: quick, and without visible structure. Satisfies the `Random` of the runtime. */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(a: number, b: number, c: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** A uniform integer in [0, 2^32). */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    return t >>> 0;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Uniform in [least, most). */
  between(least: number, most: number): number {
    return least + this.fraction() * (most - least);
  }

  /** Around `mean`, now and then much longer. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.below(from.length)] as T;
  }

  shuffled<T>(from: readonly T[]): T[] {
    const list = [...from];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
    return list;
  }
}

/** The streams of one seed. */
export class SeedRandom {
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** A stream of its own for the purpose; asked twice, it begins again. */
  stream(purpose: string): RandomStream {
    const name = Buffer.from(purpose);
    return new RandomStream(this.seed, Math.floor(this.seed / 2 ** 32) ^ crc32(name), crc32(name, 0x6b766421));
  }
}
