/**
 * Bloom filters: "this table certainly does not hold the key" without a read. Wraps bloom-filters through its Hashing
 * extension point: a key is hashed once, whatever the number of filters asked, and the bits are those of the library's
 * filter over our own block bytes (docs/formats.md "Filter block").
 *
 * A filter that cannot be read answers "maybe", never "no": it only ever costs a read.
 */
import { BloomFilter, Hashing } from 'bloom-filters';

/** On disk: the only kind of filter in format 1. */
const FILTER_KIND_BLOOM = 1;
/** kind u8 | number of hashes u8 | reserved u16 | number of bits u32 */
const HEADER_BYTES = 8;
const HASHES_MAX = 30;
/** Keeps the number of bits a u32; a table would need 400 million keys to reach it. */
const BITS_MAX = 0xfffffff8;
/** On disk: the second hash is the first times this, folded. */
const SECOND_HASH_MULTIPLIER = 0x9e3779b1 | 0;
const NO_ELEMENT = Buffer.alloc(0);

/**
 * Hash of a user key: MurmurHash3 x86 32 with seed 0, as a signed integer (a small integer to V8: nothing is
 * allocated). Computed once per read and given to every table's filter. `length`: only that many bytes of `key`.
 */
export function filterHash(key: Uint8Array, length = key.length): number {
  const blocksEnd = length & ~3;
  let hash = 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    const word =
      (key[at] as number) |
      ((key[at + 1] as number) << 8) |
      ((key[at + 2] as number) << 16) |
      ((key[at + 3] as number) << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = length - 1; at >= blocksEnd; at--) tail = (tail << 8) | (key[at] as number);
  if (length > blocksEnd) hash ^= scramble(tail);
  return finalize(hash ^ length);
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51 | 0);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

function finalize(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b | 0);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35 | 0);
  return mixed ^ (mixed >>> 16);
}

/** Turns the hash that was set last into bit indexes, in one array that is used again for every key. */
class KeyHashing extends Hashing {
  hash = 0;
  readonly #indexes: number[];

  constructor(hashes: number) {
    super();
    this.#indexes = new Array<number>(hashes).fill(0);
  }

  /** Enhanced double hashing: index i is first + i·second + i(i−1)(i−2)/6, modulo 2^32, modulo the number of bits. */
  override getIndexes(_element: unknown, bits: number): number[] {
    const indexes = this.#indexes;
    let index = this.hash;
    let step = Math.imul(index, SECOND_HASH_MULTIPLIER);
    step ^= step >>> 15;
    for (let i = 0; i < indexes.length; i++) {
      indexes[i] = (index >>> 0) % bits;
      index = (index + step) | 0;
      step = (step + i) | 0;
    }
    return indexes;
  }
}

interface HashedFilter {
  readonly bloom: BloomFilter;
  readonly hashing: KeyHashing;
}

function createFilter(bits: number, hashes: number): HashedFilter {
  const bloom = new BloomFilter(bits, hashes);
  const hashing = new KeyHashing(hashes);
  bloom._hashing = hashing;
  return { bloom, hashing };
}

/** Collects the keys of one table and makes its filter block. */
export class FilterBuilder {
  readonly #bitsPerKey: number;
  #hashes = new Int32Array(1024);
  #count = 0;

  constructor(bitsPerKey: number) {
    this.#bitsPerKey = bitsPerKey;
  }

  /** `hash` is the key's `filterHash`. A run of equal hashes is kept once: versions of a key stand together. */
  add(hash: number): void {
    if (this.#count > 0 && this.#hashes[this.#count - 1] === hash) return;
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count++] = hash;
  }

  /** The block's bytes; `undefined` when filters are switched off or there is no key. */
  finish(): Buffer | undefined {
    if (this.#bitsPerKey <= 0 || this.#count === 0) return undefined;
    const bits = Math.min(BITS_MAX, Math.max(64, Math.ceil((this.#count * this.#bitsPerKey) / 8) * 8));
    const hashes = Math.max(1, Math.min(HASHES_MAX, Math.round(this.#bitsPerKey * Math.LN2)));
    const { bloom, hashing } = createFilter(bits, hashes);
    for (let i = 0; i < this.#count; i++) {
      hashing.hash = this.#hashes[i] as number;
      bloom.add(NO_ELEMENT);
    }
    return encodeFilter(bits, hashes, bloom._filter.array);
  }

  #grow(): void {
    const larger = new Int32Array(this.#hashes.length * 2);
    larger.set(this.#hashes);
    this.#hashes = larger;
  }
}

function encodeFilter(bits: number, hashes: number, array: Uint8Array): Buffer {
  const block = Buffer.alloc(HEADER_BYTES + array.length);
  block[0] = FILTER_KIND_BLOOM;
  block[1] = hashes;
  block.writeUInt32LE(bits, 4);
  block.set(array, HEADER_BYTES);
  return block;
}

/** Asks the filter block of a table. */
export class FilterProbe {
  readonly #bloom: BloomFilter;
  readonly #hashing: KeyHashing;

  private constructor(filter: HashedFilter) {
    this.#bloom = filter.bloom;
    this.#hashing = filter.hashing;
  }

  /** A probe over the bytes themselves; `undefined` when they are no filter that this version knows. */
  static open(block: Buffer): FilterProbe | undefined {
    if (block.length < HEADER_BYTES || block[0] !== FILTER_KIND_BLOOM || block.readUInt16LE(2) !== 0) return undefined;
    const hashes = block[1] as number;
    const bits = block.readUInt32LE(4);
    if (hashes < 1 || hashes > HASHES_MAX || bits === 0 || bits % 8 !== 0) return undefined;
    if (block.length !== HEADER_BYTES + bits / 8) return undefined;
    const filter = createFilter(bits, hashes);
    filter.bloom._filter.array = block.subarray(HEADER_BYTES);
    return new FilterProbe(filter);
  }

  /** False only if no key with this hash was added. */
  mayContain(hash: number): boolean {
    this.#hashing.hash = hash;
    return this.#bloom.has(NO_ELEMENT);
  }
}
