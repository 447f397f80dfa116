/**
 * The index of a table: for each data block a key that is at or behind its last and before the next one's first, and
 * the block's place. Over a size it is cut into partitions, with a top index of the same form over them.
 */
import { varintLength, writeVarint } from '../encoding.ts';
import { KIND_SEEK, makeInternalKey, SEQUENCE_MAX, TRAILER_BYTES } from '../internal-key.ts';
import { BlockBuilder } from './block-builder.ts';
import { type BlockHandle, INDEX_RESTART_INTERVAL } from './format.ts';

export interface IndexPartition {
  readonly lastKey: Buffer;
  readonly bytes: Buffer;
}

export class IndexBuilder {
  readonly #partitionSizeBytes: number;
  readonly #partitions: IndexPartition[] = [];
  readonly #builder = new BlockBuilder(INDEX_RESTART_INTERVAL);
  #lastKey: Buffer = Buffer.alloc(0);

  constructor(partitionSizeBytes: number) {
    this.#partitionSizeBytes = partitionSizeBytes;
  }

  /** `key` is kept until the next call. */
  add(key: Buffer, handle: BlockHandle): void {
    if (this.#builder.entries > 0 && this.#builder.sizeBytes >= this.#partitionSizeBytes) this.#cut();
    this.#builder.add(key, encodeHandle(handle));
    this.#lastKey = key;
  }

  /** All partitions, at least one; `add` must have been called. */
  finish(): readonly IndexPartition[] {
    this.#cut();
    return this.#partitions;
  }

  #cut(): void {
    this.#partitions.push({ lastKey: this.#lastKey, bytes: Buffer.from(this.#builder.finish()) });
    this.#builder.reset();
  }
}

/** The top index over partitions that have been written at `handles`. */
export function buildTopIndex(partitions: readonly IndexPartition[], handles: readonly BlockHandle[]): Buffer {
  const builder = new BlockBuilder(INDEX_RESTART_INTERVAL);
  for (const [i, { lastKey }] of partitions.entries()) builder.add(lastKey, encodeHandle(handles[i] as BlockHandle));
  return builder.finish();
}

/** Value of an index entry: offset varint | length varint. */
function encodeHandle(handle: BlockHandle): Buffer {
  const bytes = Buffer.allocUnsafe(varintLength(handle.offset) + varintLength(handle.length));
  writeVarint(bytes, writeVarint(bytes, 0, handle.offset), handle.length);
  return bytes;
}

/**
 * A short internal key that is at or behind `last` and before `next`: the beginning of `next` up to the first byte in
 * which its user key differs, if that is shorter, else `last`. Keeps the index small when keys are long.
 */
export function separatorKey(last: Buffer, next: Buffer): Buffer {
  const lastLength = last.length - TRAILER_BYTES;
  const nextLength = next.length - TRAILER_BYTES;
  const limit = Math.min(lastLength, nextLength);
  let common = 0;
  while (common < limit && last[common] === next[common]) common++;
  if (common + 1 >= nextLength || common + 1 >= lastLength) return Buffer.from(last);
  return makeInternalKey(next.subarray(0, common + 1), SEQUENCE_MAX, KIND_SEEK);
}
