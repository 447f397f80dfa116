/**
 * A skip list of internal keys inside one SharedArrayBuffer, so that a worker reads a sealed memtable without a copy.
 * Pointers are byte offsets into the arena, 0 is "none"; nodes are only ever added, one thread writes.
 *
 *   header   0: u32 height in use | 4: u32 entries | 8: the head node
 *   node     0: u32 user key length | 4: u32 value length | 8: u32 previous | 12: u32 height
 *            16: u32 next[height] | internal key (user key | trailer) | value | padding to 4
 *
 * Keys are compared by big-endian u32 reads over the arena: a fifth of what Buffer.compare costs on short keys.
 * The layout lives in memory only; it is no file format.
 */
import { TRAILER_BYTES } from '../internal-key.ts';

export const HEIGHT_MAX = 12;
const NODE_HEADER_BYTES = 16;
const HEAD = 8;
/** Where the first entry goes: also the bytes that an empty list uses. */
export const LIST_START = HEAD + NODE_HEADER_BYTES + HEIGHT_MAX * 4;
/** No entry takes more than its key, its value and this. */
export const NODE_OVERHEAD_MAX = NODE_HEADER_BYTES + HEIGHT_MAX * 4 + TRAILER_BYTES + 3;

/** A seek key is copied here, so that both sides of a comparison are read in the same, quick way. */
const SCRATCH_BYTES = 66_560;
const scratch = new Uint8Array(new SharedArrayBuffer(SCRATCH_BYTES));
const scratchView = new DataView(scratch.buffer);

export class SkipList {
  readonly bytes: Buffer;
  readonly #words: Uint32Array;
  readonly #view: DataView;
  /** Rightmost node of each level: ascending loads are appended without a search. */
  readonly #tails = new Uint32Array(HEIGHT_MAX);
  readonly #path = new Uint32Array(HEIGHT_MAX);
  #randomState: number;
  #used: number;

  /** A list over `arena`; `used` is LIST_START for a new one, after `SkipList.format`. */
  constructor(arena: SharedArrayBuffer, used: number, seed: number) {
    this.bytes = Buffer.from(arena);
    this.#words = new Uint32Array(arena);
    this.#view = new DataView(arena);
    this.#used = used;
    this.#randomState = seed >>> 0 || 0x9e3779b9;
    this.#tails.fill(HEAD);
  }

  /** Makes the arena an empty list, whatever it held before. */
  static format(arena: SharedArrayBuffer): void {
    new Uint32Array(arena, 0, LIST_START >>> 2).fill(0);
    const words = new Uint32Array(arena, 0, LIST_START >>> 2);
    words[0] = 1;
    words[(HEAD + 12) >>> 2] = HEIGHT_MAX;
  }

  get used(): number {
    return this.#used;
  }

  get entries(): number {
    return this.#words[1] as number;
  }

  /** Adds an entry; the key with this trailer must be new, and must fit (NODE_OVERHEAD_MAX). */
  insert(source: Uint8Array, key: Span, trailerHigh: number, trailerLow: number, value: Span): void {
    const height = this.#randomHeight();
    const node = this.#used;
    const at = node + NODE_HEADER_BYTES + height * 4;
    this.#used = (at + key.length + TRAILER_BYTES + value.length + 3) & ~3;
    this.#words[node >>> 2] = key.length;
    this.#words[(node + 4) >>> 2] = value.length;
    this.#words[(node + 12) >>> 2] = height;
    copyInto(this.bytes, at, source, key);
    this.#view.setUint32(at + key.length, trailerHigh);
    this.#view.setUint32(at + key.length + 4, trailerLow);
    copyInto(this.bytes, at + key.length + TRAILER_BYTES, source, value);
    this.#link(node, height, at, key.length, trailerHigh, trailerLow);
  }

  #link(node: number, height: number, at: number, keyLength: number, trailerHigh: number, trailerLow: number): void {
    const words = this.#words;
    const path = this.#path;
    const last = this.#tails[0] as number;
    if (last === HEAD || this.#compare(this.#view, at, keyLength, trailerHigh, trailerLow, last) > 0)
      path.set(this.#tails);
    else this.#search(this.#view, at, keyLength, trailerHigh, trailerLow);
    if (height > (words[0] as number)) words[0] = height;
    const following = words[((path[0] as number) + NODE_HEADER_BYTES) >>> 2] as number;
    words[(node + 8) >>> 2] = path[0] as number;
    if (following !== 0) words[(following + 8) >>> 2] = node;
    for (let level = 0; level < height; level++) {
      const link = ((path[level] as number) + NODE_HEADER_BYTES + level * 4) >>> 2;
      const next = words[link] as number;
      words[(node + NODE_HEADER_BYTES + level * 4) >>> 2] = next;
      words[link] = node;
      if (next === 0) this.#tails[level] = node;
    }
    words[1] = (words[1] as number) + 1;
  }

  /** The first node whose internal key is ≥ the given one, 0 if none. */
  seek(userKey: Uint8Array, keyLength: number, trailerHigh: number, trailerLow: number): number {
    scratch.set(keyLength === userKey.length ? userKey : userKey.subarray(0, keyLength));
    return this.#search(scratchView, 0, keyLength, trailerHigh, trailerLow);
  }

  first(): number {
    return this.next(HEAD);
  }

  last(): number {
    let node = HEAD;
    for (let level = (this.#words[0] as number) - 1; level >= 0; level--) {
      for (let next = this.#next(node, level); next !== 0; next = this.#next(node, level)) node = next;
    }
    return node === HEAD ? 0 : node;
  }

  next(node: number): number {
    return this.#words[(node + NODE_HEADER_BYTES) >>> 2] as number;
  }

  previous(node: number): number {
    const before = this.#words[(node + 8) >>> 2] as number;
    return before === HEAD ? 0 : before;
  }

  /** Offset of the internal key in `bytes`. */
  keyStart(node: number): number {
    return node + NODE_HEADER_BYTES + (this.#words[(node + 12) >>> 2] as number) * 4;
  }

  userKeyLength(node: number): number {
    return this.#words[node >>> 2] as number;
  }

  valueLength(node: number): number {
    return this.#words[(node + 4) >>> 2] as number;
  }

  /** True when the node's user key is the one last given to `seek`, of `keyLength` bytes. */
  hasSoughtKey(node: number, keyLength: number): boolean {
    return (
      this.userKeyLength(node) === keyLength &&
      compareBytes(scratchView, 0, this.#view, this.keyStart(node), keyLength) === 0
    );
  }

  #next(node: number, level: number): number {
    return this.#words[(node + NODE_HEADER_BYTES + level * 4) >>> 2] as number;
  }

  /** Fills the path with the last node before the key on each level, and answers the node after it. */
  #search(view: DataView, at: number, keyLength: number, trailerHigh: number, trailerLow: number): number {
    const words = this.#words;
    const path = this.#path;
    let node = HEAD;
    let met = 0;
    const top = words[0] as number;
    for (let level = HEIGHT_MAX - 1; level >= top; level--) path[level] = HEAD;
    for (let level = top - 1; level >= 0; level--) {
      let next = words[(node + NODE_HEADER_BYTES + level * 4) >>> 2] as number;
      // A node met one level up need not be compared again.
      while (next !== 0 && next !== met && this.#compare(view, at, keyLength, trailerHigh, trailerLow, next) > 0) {
        node = next;
        next = words[(node + NODE_HEADER_BYTES + level * 4) >>> 2] as number;
      }
      met = next;
      path[level] = node;
    }
    return words[(node + NODE_HEADER_BYTES) >>> 2] as number;
  }

  /** Order of the given internal key against the node's: user key ascending, trailer descending. */
  #compare(view: DataView, at: number, length: number, trailerHigh: number, trailerLow: number, node: number): number {
    const words = this.#words;
    const nodeLength = words[node >>> 2] as number;
    const nodeAt = node + NODE_HEADER_BYTES + (words[(node + 12) >>> 2] as number) * 4;
    const order = compareBytes(view, at, this.#view, nodeAt, length < nodeLength ? length : nodeLength);
    if (order !== 0) return order;
    if (length !== nodeLength) return length - nodeLength;
    const high = this.#view.getUint32(nodeAt + nodeLength);
    if (high !== trailerHigh) return high - trailerHigh;
    return this.#view.getUint32(nodeAt + nodeLength + 4) - trailerLow;
  }

  /** 1 with probability 3/4, 2 with 3/16, …: xorshift, seeded by the engine's Random. */
  #randomHeight(): number {
    let state = this.#randomState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#randomState = state >>> 0;
    let height = 1;
    for (let bits = state; height < HEIGHT_MAX && (bits & 3) === 0; bits >>>= 2) height++;
    return height;
  }
}

/** A part of a buffer. */
export interface Span {
  start: number;
  length: number;
}

function copyInto(target: Buffer, at: number, source: Uint8Array, span: Span): void {
  if (span.length > 0) target.set(source.subarray(span.start, span.start + span.length), at);
}

function compareBytes(a: DataView, aAt: number, b: DataView, bAt: number, length: number): number {
  let at = 0;
  for (const words = length - 3; at < words; at += 4) {
    const left = a.getUint32(aAt + at);
    const right = b.getUint32(bAt + at);
    if (left !== right) return left < right ? -1 : 1;
  }
  for (; at < length; at++) {
    const order = a.getUint8(aAt + at) - b.getUint8(bAt + at);
    if (order !== 0) return order;
  }
  return 0;
}
