/**
 * Writes that are applied together or not at all. The batch keeps the encoded WAL payload (docs/formats.md "Batch"):
 *
 *   entry*: kind u8 | key length varint | key | (put, merge) value length varint | value
 *
 * so that a commit copies it once into the log and once into the memtable, and looks at nothing else.
 */
import { readVarint, varintLength, writeVarint } from './encoding.ts';
import { LsmError } from './errors.ts';
import { KIND_DELETE, KIND_MERGE, KIND_PUT } from './internal-key.ts';
import type { Span } from './memtable/skiplist.ts';

/** Room for a kvd key: 64 KiB, twice that when every byte must be escaped, and its prefix. */
export const KEY_BYTES_MAX = 132 * 1024;
/** Room for a value of 64 MiB in a record with siblings. */
export const VALUE_BYTES_MAX = 128 * 1024 * 1024;
/** What one batch may hold, encoded: it must fit one WAL record and one arena. */
export const BATCH_BYTES_MAX = 512 * 1024 * 1024;

const INITIAL_BYTES = 256;
/** A batch that grew beyond this gives its buffer back at `clear`. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

export class WriteBatch {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;
  #count = 0;
  #merges = 0;

  /** Writes in the batch. */
  get count(): number {
    return this.#count;
  }

  /** Size of the encoded batch. */
  get byteLength(): number {
    return this.#length;
  }

  /** True when `merge` was called: the engine then needs a merge operator. */
  get hasMerges(): boolean {
    return this.#merges > 0;
  }

  /** Sets `key` to `value`; both are copied. RangeError if one is too long or the key is empty. */
  put(key: Uint8Array, value: Uint8Array): this {
    return this.#append(KIND_PUT, key, value);
  }

  /** Removes `key`. */
  delete(key: Uint8Array): this {
    return this.#append(KIND_DELETE, key, EMPTY);
  }

  /** Gives `operand` to the merge operator for `key`. */
  merge(key: Uint8Array, operand: Uint8Array): this {
    this.#append(KIND_MERGE, key, operand);
    this.#merges++;
    return this;
  }

  /** Empties the batch; its buffer is used again. */
  clear(): this {
    this.#length = 0;
    this.#count = 0;
    this.#merges = 0;
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return this;
  }

  /** A batch of the same writes. */
  clone(): WriteBatch {
    const copy = new WriteBatch();
    copy.#buffer = Buffer.from(this.payload());
    copy.#length = this.#length;
    copy.#count = this.#count;
    copy.#merges = this.#merges;
    return copy;
  }

  /** The encoded writes: a view, valid until the batch is changed. */
  payload(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #append(kind: number, key: Uint8Array, value: Uint8Array): this {
    checkKey(key);
    if (kind !== KIND_DELETE) checkValue(value);
    const room = 1 + varintLength(key.length) + key.length + varintLength(value.length) + value.length;
    this.#reserve(room);
    const buffer = this.#buffer;
    buffer[this.#length] = kind;
    let at = writeVarint(buffer, this.#length + 1, key.length);
    buffer.set(key, at);
    at += key.length;
    if (kind !== KIND_DELETE) {
      at = writeVarint(buffer, at, value.length);
      buffer.set(value, at);
      at += value.length;
    }
    this.#length = at;
    this.#count++;
    return this;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    if (needed > BATCH_BYTES_MAX) throw new RangeError(`a batch may hold at most ${BATCH_BYTES_MAX} bytes`);
    const grown = Buffer.allocUnsafeSlow(Math.min(BATCH_BYTES_MAX, Math.max(needed, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#length), 0);
    this.#buffer = grown;
  }
}

/** The door for keys: TypeError if not bytes, RangeError if empty or too long. */
export function checkKey(key: Uint8Array): void {
  checkBytes(key, 'a key');
  if (key.length === 0) throw new RangeError('a key must not be empty');
  if (key.length > KEY_BYTES_MAX)
    throw new RangeError(`a key of ${key.length} bytes is over the limit of ${KEY_BYTES_MAX}`);
}

/** TypeError unless `bytes` is a Uint8Array. */
export function checkBytes(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Buffer or a Uint8Array`);
}

function checkValue(value: Uint8Array): void {
  checkBytes(value, 'a value');
  if (value.length <= VALUE_BYTES_MAX) return;
  throw new RangeError(`a value of ${value.length} bytes is over the limit of ${VALUE_BYTES_MAX}`);
}

/** Walks an encoded batch without allocating: `next` moves `kind`, `key` and `value` to the next entry. */
export class BatchReader {
  kind = 0;
  readonly key: Span = { start: 0, length: 0 };
  readonly value: Span = { start: 0, length: 0 };
  source: Buffer = EMPTY;
  readonly #cursor = { at: 0 };

  reset(payload: Buffer): this {
    this.source = payload;
    this.#cursor.at = 0;
    return this;
  }

  /**
   * False at the end. Throws LSM_CORRUPTION on bytes that are no batch, and LSM_INCOMPATIBLE_FORMAT on a kind that this
   * version does not know.
   */
  next(): boolean {
    const at = this.#cursor.at;
    if (at >= this.source.length) return false;
    this.kind = this.source[at] as number;
    if (this.kind > KIND_MERGE) throw unknownKind(this.kind, at);
    this.#cursor.at = at + 1;
    this.#span(this.key);
    if (this.key.length === 0 || this.key.length > KEY_BYTES_MAX) throw damaged('a key of no possible length', at);
    if (this.kind === KIND_DELETE) this.value.length = 0;
    else this.#span(this.value);
    return true;
  }

  #span(span: Span): void {
    span.length = readVarint(this.source, this.#cursor);
    span.start = this.#cursor.at;
    this.#cursor.at += span.length;
    if (this.#cursor.at > this.source.length) throw damaged('an entry that runs over its end', span.start);
  }
}

function damaged(what: string, offset: number): LsmError {
  return new LsmError('LSM_CORRUPTION', `batch holds ${what} at ${offset}`, { offset, kind: 'batch' });
}

function unknownKind(kind: number, offset: number): LsmError {
  return new LsmError('LSM_INCOMPATIBLE_FORMAT', `entry kind ${kind} at ${offset} is of a newer format`, { offset });
}
