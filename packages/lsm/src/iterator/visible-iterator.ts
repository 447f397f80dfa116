/**
 * The user's view of the entries at one sequence number: of each user key its newest visible entry; deleted keys are
 * hidden, merge operands are resolved. It walks in one direction, fixed when it is made, within bounds.
 *
 *   forward   a key's entries come newest first: stop at the first put or delete, then skip the rest
 *   backward  they come oldest first: each put or delete replaces what was gathered before
 */
import { KIND_DELETE, KIND_MERGE, KIND_PUT, KIND_SEEK, makeInternalKey, SEQUENCE_MAX } from '../internal-key.ts';
import { kindAt, sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import { LsmError } from '../errors.ts';
import type { InternalIterator } from './iterator.ts';

export interface Bounds {
  readonly gte?: Uint8Array | undefined;
  readonly gt?: Uint8Array | undefined;
  readonly lte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
}

export type Resolve = (base: Buffer | undefined, operandsNewestFirst: readonly Buffer[]) => Buffer;

export interface VisibleIteratorOptions extends Bounds {
  readonly sequence: number;
  readonly reverse: boolean;
  readonly resolve: Resolve;
}

export class VisibleIterator {
  readonly #source: InternalIterator;
  readonly #sequence: number;
  readonly #reverse: boolean;
  readonly #resolve: Resolve;
  readonly #bounds: BoundCheck;
  #key: Buffer = Buffer.allocUnsafeSlow(64);
  #keyLength = 0;
  #value: Buffer | undefined;

  constructor(source: InternalIterator, options: VisibleIteratorOptions) {
    this.#source = source;
    this.#sequence = options.sequence;
    this.#reverse = options.reverse;
    this.#resolve = options.resolve;
    this.#bounds = new BoundCheck(options);
  }

  /** To the first entry in walking order. */
  seekToStart(): boolean {
    return this.#reverse
      ? this.#startBackward(this.#bounds.high, this.#bounds.highIncluded)
      : this.#startForward(this.#bounds.low);
  }

  /** To the first entry, in walking order, at `userKey` or beyond it. */
  seek(userKey: Buffer): boolean {
    const isBelow = this.#bounds.isBelow(userKey, userKey.length);
    const isAbove = this.#bounds.isAbove(userKey, userKey.length);
    if (this.#reverse ? isAbove : isBelow) return this.seekToStart();
    if (isBelow || isAbove) return this.#stop();
    return this.#reverse ? this.#startBackward(userKey, true) : this.#startForward(userKey);
  }

  next(): boolean {
    return this.#reverse ? this.#backward() : this.#forward();
  }

  /** Views, valid until the next move. */
  get key(): Buffer {
    return this.#key.subarray(0, this.#keyLength);
  }

  get value(): Buffer {
    return this.#value as Buffer;
  }

  #startForward(from: Buffer | undefined): boolean {
    if (from === undefined) this.#source.seekToFirst();
    else this.#source.seek(makeInternalKey(from, SEQUENCE_MAX, KIND_SEEK));
    return this.#forward();
  }

  #startBackward(from: Buffer | undefined, included: boolean): boolean {
    if (from === undefined) {
      this.#source.seekToLast();
      return this.#backward();
    }
    // Sequence 0 comes after all entries of a key, the largest before all: the one before it is where to begin.
    const target = included ? makeInternalKey(from, 0, KIND_DELETE) : makeInternalKey(from, SEQUENCE_MAX, KIND_SEEK);
    this.#source.seek(target);
    if (!this.#source.valid()) this.#source.seekToLast();
    else this.#source.prev();
    return this.#backward();
  }

  /** The source stands at the first entry of a user key, or behind the last one. */
  #forward(): boolean {
    const source = this.#source;
    while (source.valid()) {
      const key = source.key();
      if (sequenceAt(key, key.length) > this.#sequence) {
        source.next();
        continue;
      }
      this.#takeKey(key);
      if (this.#bounds.isAbove(this.#key, this.#keyLength)) return this.#stop();
      const isHidden = this.#bounds.isBelow(this.#key, this.#keyLength);
      if (this.#gatherForward(kindOf(key)) && !isHidden) return true;
    }
    return this.#stop();
  }

  /** Resolves the key whose newest visible entry the source stands at, and leaves the source behind all its entries. */
  #gatherForward(newestKind: number): boolean {
    const source = this.#source;
    if (newestKind === KIND_MERGE) return this.#gatherMerges();
    this.#value = newestKind === KIND_PUT ? copyOf(source.value()) : undefined;
    source.next();
    this.#skipKey();
    return this.#value !== undefined;
  }

  #gatherMerges(): boolean {
    const source = this.#source;
    const operands: Buffer[] = [];
    let base: Buffer | undefined;
    for (; source.valid() && this.#isAtKey(); source.next()) {
      const kind = kindOf(source.key());
      if (kind === KIND_MERGE) operands.push(copyOf(source.value()));
      else {
        if (kind === KIND_PUT) base = copyOf(source.value());
        break;
      }
    }
    this.#skipKey();
    return this.#settle(base, operands);
  }

  #skipKey(): void {
    while (this.#source.valid() && this.#isAtKey()) this.#source.next();
  }

  /** The source stands at the last entry of a user key, or before the first one. */
  #backward(): boolean {
    const source = this.#source;
    while (source.valid()) {
      this.#takeKey(source.key());
      if (this.#bounds.isBelow(this.#key, this.#keyLength)) return this.#stop();
      const isHidden = this.#bounds.isAbove(this.#key, this.#keyLength);
      let operands: Buffer[] | undefined;
      let base: Buffer | undefined;
      for (; source.valid() && this.#isAtKey(); source.prev()) {
        const key = source.key();
        if (sequenceAt(key, key.length) > this.#sequence) continue;
        const kind = kindOf(key);
        if (kind === KIND_MERGE) {
          (operands ??= []).unshift(copyOf(source.value()));
          continue;
        }
        operands = undefined;
        base = kind === KIND_PUT ? copyOf(source.value()) : undefined;
      }
      if (this.#settle(base, operands) && !isHidden) return true;
    }
    return this.#stop();
  }

  #settle(base: Buffer | undefined, operands: Buffer[] | undefined): boolean {
    this.#value = operands === undefined ? base : this.#resolve(base, operands);
    return this.#value !== undefined;
  }

  #takeKey(internalKey: Buffer): void {
    this.#keyLength = internalKey.length - TRAILER_BYTES;
    if (this.#keyLength > this.#key.length) this.#key = Buffer.allocUnsafeSlow(this.#keyLength * 2);
    this.#key.set(internalKey.length <= this.#key.length ? internalKey : internalKey.subarray(0, this.#keyLength));
  }

  #isAtKey(): boolean {
    const key = this.#source.key();
    const length = key.length - TRAILER_BYTES;
    return length === this.#keyLength && key.compare(this.#key, 0, length, 0, length) === 0;
  }

  #stop(): boolean {
    this.#value = undefined;
    this.#keyLength = 0;
    return false;
  }
}

function kindOf(internalKey: Buffer): number {
  const kind = kindAt(internalKey, internalKey.length);
  if (kind <= KIND_MERGE) return kind;
  throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `entry kind ${kind} is of a newer format`);
}

/** A range of user keys; either end may be open. */
class BoundCheck {
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
  readonly lowIncluded: boolean;
  readonly highIncluded: boolean;

  constructor(bounds: Bounds) {
    // Of two bounds on one side the narrower counts.
    this.lowIncluded = bounds.gt === undefined || (bounds.gte !== undefined && compare(bounds.gte, bounds.gt) > 0);
    this.highIncluded = bounds.lt === undefined || (bounds.lte !== undefined && compare(bounds.lte, bounds.lt) < 0);
    this.low = boundOf(this.lowIncluded ? bounds.gte : bounds.gt);
    this.high = boundOf(this.highIncluded ? bounds.lte : bounds.lt);
  }

  /** `length` bytes of `userKey` count. */
  isBelow(userKey: Buffer, length: number): boolean {
    if (this.low === undefined) return false;
    const order = userKey.compare(this.low, 0, this.low.length, 0, length);
    return order < 0 || (order === 0 && !this.lowIncluded);
  }

  isAbove(userKey: Buffer, length: number): boolean {
    if (this.high === undefined) return false;
    const order = userKey.compare(this.high, 0, this.high.length, 0, length);
    return order > 0 || (order === 0 && !this.highIncluded);
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function boundOf(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes === undefined ? undefined : copyOf(bytes);
}

/** The source reuses its buffers. */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}
