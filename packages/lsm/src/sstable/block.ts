/**
 * Reads the bytes of a block (block-builder.ts has the drawing): the search of a point read, which makes no copy of any
 * key, and the two searches by restart point that iterators share with it.
 */
import { readVarint } from '../encoding.ts';
import { LsmError } from '../errors.ts';
import { KIND_MERGE, TRAILER_BYTES } from '../internal-key.ts';
import { compareKeyRange, compareRanges, compareTrailers } from '../key-order.ts';
import type { Lookup } from '../lookup.ts';

/** The uncompressed bytes of a block, and where its restart points are. */
export class Block {
  readonly bytes: Buffer;
  /** Number of restart points, at least 1. */
  readonly restarts: number;
  /** End of the entries, beginning of the restart offsets. */
  readonly entriesEnd: number;

  /** Throws LSM_CORRUPTION when the restart points do not fit. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.restarts = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
    this.entriesEnd = bytes.length - 4 - 4 * this.restarts;
    if (this.restarts === 0 || this.entriesEnd <= 0) throw damagedBlock(`has ${this.restarts} restart points`);
  }

  /** Offset of the entry at a restart point. */
  restartAt(ordinal: number): number {
    const at = this.entriesEnd + 4 * ordinal;
    const bytes = this.bytes;
    const high = (bytes[at + 3] as number) * 0x1000000;
    return high + (((bytes[at + 2] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at] as number));
  }
}

export function damagedBlock(what: string): LsmError {
  return new LsmError('LSM_CORRUPTION', `block ${what}`, { kind: 'block' });
}

/** One entry's header, decoded in place. Reused, so that a walk allocates nothing. */
export class EntryHeader {
  /** Bytes of the user key taken from the entry before. */
  shared = 0;
  /** Bytes of the user key in this entry. */
  unshared = 0;
  /** Offset of those bytes; the trailer follows them. */
  keyAt = 0;
  valueAt = 0;
  /** End of the value, which is where the next entry begins. */
  end = 0;
  readonly #cursor = { at: 0 };

  /** Throws LSM_CORRUPTION when the entry does not lie within the block. */
  decode(block: Block, at: number): void {
    const bytes = block.bytes;
    const shared = bytes[at] as number;
    const unshared = bytes[at + 1] as number;
    const valueLength = bytes[at + 2] as number;
    if ((shared | unshared | valueLength) < 0x80) this.#place(block, at + 3, shared, unshared, valueLength);
    else this.#decodeLong(block, at);
  }

  #decodeLong(block: Block, at: number): void {
    const cursor = this.#cursor;
    cursor.at = at;
    const shared = readVarint(block.bytes, cursor, block.entriesEnd);
    const unshared = readVarint(block.bytes, cursor, block.entriesEnd);
    const valueLength = readVarint(block.bytes, cursor, block.entriesEnd);
    this.#place(block, cursor.at, shared, unshared, valueLength);
  }

  #place(block: Block, keyAt: number, shared: number, unshared: number, valueLength: number): void {
    this.shared = shared;
    this.unshared = unshared;
    this.keyAt = keyAt;
    this.valueAt = keyAt + unshared + TRAILER_BYTES;
    this.end = this.valueAt + valueLength;
    if (this.end > block.entriesEnd) throw damagedBlock(`entry before ${keyAt} ends at ${this.end}, behind its block`);
  }
}

const header = new EntryHeader();

/** Order of the whole key at a restart point and `key`. */
function compareRestart(block: Block, ordinal: number, key: Buffer): number {
  header.decode(block, block.restartAt(ordinal));
  return compareKeyRange(block.bytes, header.keyAt, header.valueAt, key);
}

/** Number of restart points whose key is before `key`: the first at or behind it, by ordinal. */
export function restartsBefore(block: Block, key: Buffer): number {
  let low = 0;
  let high = block.restarts;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareRestart(block, middle, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last restart point at or before an entry's offset. */
export function restartOf(block: Block, entryAt: number): number {
  let low = 0;
  let high = block.restarts - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (block.restartAt(middle) <= entryAt) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The block holds all there is of the key, or none: no later block matters. */
export const FIND_ENDED = 0;
/** The lookup needs no older entry. */
export const FIND_DONE = 1;
/** The block ended while the key might go on in the next. */
export const FIND_CONTINUES = 2;
export type FindResult = 0 | 1 | 2;

/**
 * Gives the entries of the lookup's key to it, newest first. `seekKey` is the internal key that comes before all of
 * them that it may see.
 *
 * `matched` is how many bytes of the sought user key the entry before (which is smaller) began with. An entry that
 * shares more than that with it is smaller too; any other is compared from its first own byte. So no key is rebuilt.
 */
export function findInBlock(block: Block, seekKey: Buffer, lookup: Lookup): FindResult {
  const bytes = block.bytes;
  const soughtLength = seekKey.length - TRAILER_BYTES;
  let matched = 0;
  let at = block.restartAt(Math.max(0, restartsBefore(block, seekKey) - 1));
  while (at < block.entriesEnd) {
    header.decode(block, at);
    at = header.end;
    if (header.shared > matched) continue;
    matched = matchedLength(bytes, seekKey, soughtLength);
    const length = header.shared + header.unshared;
    if (matched === soughtLength && matched === length) {
      const trailerAt = header.keyAt + header.unshared;
      if (compareTrailers(bytes, trailerAt, seekKey, soughtLength) >= 0) return giveEntries(block, seekKey, lookup);
    } else if (matched === soughtLength) {
      return FIND_ENDED;
    } else if (matched < length && isBehind(bytes, matched, seekKey)) {
      return FIND_ENDED;
    }
  }
  return FIND_CONTINUES;
}

/** Length of the common beginning of the decoded entry's user key and the sought one, from `header.shared` on. */
function matchedLength(bytes: Buffer, seekKey: Buffer, soughtLength: number): number {
  const limit = Math.min(soughtLength, header.shared + header.unshared);
  const shift = header.keyAt - header.shared;
  let matched = header.shared;
  while (matched < limit && bytes[shift + matched] === seekKey[matched]) matched++;
  return matched;
}

function isBehind(bytes: Buffer, matched: number, seekKey: Buffer): boolean {
  return (bytes[header.keyAt - header.shared + matched] as number) > (seekKey[matched] as number);
}

/** From the decoded entry, which is of the sought user key, until the lookup is content or the key ends. */
function giveEntries(block: Block, seekKey: Buffer, lookup: Lookup): FindResult {
  for (;;) {
    const kind = block.bytes[header.valueAt - 1] as number;
    if (kind > KIND_MERGE) throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `entry kind ${kind} is not known`);
    const end = header.end;
    if (lookup.add(kind, block.bytes.subarray(header.valueAt, end))) return FIND_DONE;
    if (end >= block.entriesEnd) return FIND_CONTINUES;
    header.decode(block, end);
    if (!isSought(block.bytes, seekKey)) return FIND_ENDED;
  }
}

/** The entry before had the sought user key: this one has it too if it adds nothing, or repeats it at a restart point. */
function isSought(bytes: Buffer, seekKey: Buffer): boolean {
  const soughtLength = seekKey.length - TRAILER_BYTES;
  if (header.shared + header.unshared !== soughtLength) return false;
  const { keyAt, unshared, shared } = header;
  return compareRanges(bytes, keyAt, keyAt + unshared, seekKey, shared, soughtLength) === 0;
}
