/**
 * Writes one table from entries in ascending order. Bytes go to the file in large pieces; nothing is durable before
 * `finish` has returned, which syncs the file (not its directory).
 */
import { crc32 } from '../checksum.ts';
import type { TableSalt } from '../compaction/job.ts';
import { CODEC_NONE, CODEC_SNAPPY, compress } from '../compression.ts';
import { LsmError } from '../errors.ts';
import type { File } from '../file-system/file-system.ts';
import { FilterBuilder, filterHash } from '../filter.ts';
import { KIND_DELETE, KIND_MERGE, kindAt, sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import { compareKeyRange } from '../key-order.ts';
import type { CodecName } from '../options.ts';
import { BlockBuilder } from './block-builder.ts';
import {
  BLOCK_TRAILER_BYTES,
  type BlockHandle,
  blockChecksum,
  DATA_RESTART_INTERVAL,
  encodeFooter,
  INDEX_BLOCK_BYTES,
  saltChecksum,
} from './format.ts';
import { buildTopIndex, IndexBuilder, separatorKey } from './index-builder.ts';
import * as properties from './properties.ts';

export interface TableWriterOptions {
  readonly salt: TableSalt;
  readonly codec: CodecName;
  /** Uncompressed size at which a data block is cut. */
  readonly blockSizeBytes: number;
  /** 0 writes no filter. */
  readonly bloomBitsPerKey: number;
  /**
   * Size at which the index is cut into partitions.
   * @default 32 KiB
   */
  readonly indexBlockSizeBytes?: number;
}

/** What the MANIFEST keeps of a table. */
export interface TableSummary {
  readonly sizeBytes: number;
  readonly entries: number;
  /** Internal keys. */
  readonly smallest: Buffer;
  readonly largest: Buffer;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** CRC-32 of the whole file. */
  readonly checksum: number;
}

const WRITE_BUFFER_BYTES = 256 * 1024;
const NO_BLOCK: BlockHandle = { offset: 0, length: 0 };

export class TableWriter {
  readonly #options: TableWriterOptions;
  readonly #output: Output;
  readonly #block = new BlockBuilder(DATA_RESTART_INTERVAL);
  readonly #index: IndexBuilder;
  readonly #filter: FilterBuilder;
  readonly #totals = { entries: 0, deletes: 0, merges: 0, blocks: 0, keyBytes: 0, valueBytes: 0 };
  #smallest = Buffer.alloc(0);
  #last = Buffer.allocUnsafeSlow(256);
  #lastLength = 0;
  #smallestSequence = Number.MAX_SAFE_INTEGER;
  #largestSequence = 0;
  /** A finished data block whose index entry waits for the first key of the next one. */
  #unindexed: BlockHandle | undefined;

  /** `file` must be new and empty; closing it is the caller's business. */
  constructor(file: File, options: TableWriterOptions) {
    this.#options = options;
    this.#output = new Output(file, options);
    this.#index = new IndexBuilder(options.indexBlockSizeBytes ?? INDEX_BLOCK_BYTES);
    this.#filter = new FilterBuilder(options.bloomBitsPerKey);
  }

  get entries(): number {
    return this.#totals.entries;
  }

  /** Size of the file if it were finished now, without index and filter. */
  get sizeBytesEstimate(): number {
    return this.#output.position + this.#block.sizeBytes;
  }

  /** Copies the entry. Throws LSM_CORRUPTION unless `key` is behind the one before. */
  add(key: Buffer, value: Buffer): void {
    this.#checkOrder(key);
    if (this.#unindexed !== undefined) {
      this.#index.add(separatorKey(this.#lastKey(), key), this.#unindexed);
      this.#unindexed = undefined;
    }
    this.#block.add(key, value);
    this.#filter.add(filterHash(key, key.length - TRAILER_BYTES));
    this.#count(key, value);
    this.#keepKey(key);
    if (this.#block.sizeBytes >= this.#options.blockSizeBytes) this.#finishBlock();
  }

  /** Writes what is left and syncs the file. There must be at least one entry. */
  finish(): TableSummary {
    if (this.#totals.entries === 0) throw new RangeError('a table needs at least one entry');
    if (this.#block.entries > 0) this.#finishBlock();
    const largest = Buffer.from(this.#lastKey());
    this.#index.add(largest, this.#unindexed as BlockHandle);
    const filterBlock = this.#filter.finish();
    const filter = filterBlock === undefined ? NO_BLOCK : this.#output.writeBlock(filterBlock, 'none');
    const bag = properties.encodeProperties(this.#properties(largest));
    const propertiesHandle = this.#output.writeBlock(bag, 'none');
    const { index, indexLevels } = this.#writeIndex();
    const { salt } = this.#options;
    this.#output.append(encodeFooter({ salt, index, filter, properties: propertiesHandle, indexLevels }));
    this.#output.sync();
    return this.#summary(largest);
  }

  #checkOrder(key: Buffer): void {
    if (this.#lastLength > 0 && compareKeyRange(this.#last, 0, this.#lastLength, key) >= 0) {
      throw new LsmError('LSM_CORRUPTION', 'entries of a table out of order', { kind: 'order' });
    }
  }

  #count(key: Buffer, value: Buffer): void {
    const totals = this.#totals;
    totals.entries++;
    totals.keyBytes += key.length - TRAILER_BYTES;
    totals.valueBytes += value.length;
    const kind = kindAt(key, key.length);
    if (kind === KIND_DELETE) totals.deletes++;
    else if (kind === KIND_MERGE) totals.merges++;
    const sequence = sequenceAt(key, key.length);
    if (sequence < this.#smallestSequence) this.#smallestSequence = sequence;
    if (sequence > this.#largestSequence) this.#largestSequence = sequence;
  }

  #keepKey(key: Buffer): void {
    if (this.#lastLength === 0) this.#smallest = Buffer.from(key);
    if (this.#last.length < key.length) this.#last = Buffer.allocUnsafeSlow(key.length * 2);
    key.copy(this.#last);
    this.#lastLength = key.length;
  }

  #lastKey(): Buffer {
    return this.#last.subarray(0, this.#lastLength);
  }

  #finishBlock(): void {
    this.#unindexed = this.#output.writeBlock(this.#block.finish(), this.#options.codec);
    this.#block.reset();
    this.#totals.blocks++;
  }

  #writeIndex(): { index: BlockHandle; indexLevels: 1 | 2 } {
    const partitions = this.#index.finish();
    const handles = partitions.map(({ bytes }) => this.#output.writeBlock(bytes, this.#options.codec));
    if (handles.length === 1) return { index: handles[0] as BlockHandle, indexLevels: 1 };
    return { index: this.#output.writeBlock(buildTopIndex(partitions, handles), this.#options.codec), indexLevels: 2 };
  }

  #properties(largest: Buffer): properties.PropertyBag {
    const number = properties.encodeNumber;
    return new Map([
      [properties.PROPERTY_ENTRIES, number(this.#totals.entries)],
      [properties.PROPERTY_DELETES, number(this.#totals.deletes)],
      [properties.PROPERTY_MERGES, number(this.#totals.merges)],
      [properties.PROPERTY_DATA_BLOCKS, number(this.#totals.blocks)],
      [properties.PROPERTY_KEY_BYTES, number(this.#totals.keyBytes)],
      [properties.PROPERTY_VALUE_BYTES, number(this.#totals.valueBytes)],
      [properties.PROPERTY_SMALLEST_SEQUENCE, number(this.#smallestSequence)],
      [properties.PROPERTY_LARGEST_SEQUENCE, number(this.#largestSequence)],
      [properties.PROPERTY_SMALLEST, this.#smallest],
      [properties.PROPERTY_LARGEST, largest],
    ]);
  }

  #summary(largest: Buffer): TableSummary {
    return {
      sizeBytes: this.#output.position,
      entries: this.#totals.entries,
      smallest: this.#smallest,
      largest,
      smallestSequence: this.#smallestSequence,
      largestSequence: this.#largestSequence,
      checksum: this.#output.checksum,
    };
  }
}

/** The file as a stream: adds trailers to blocks, collects small pieces, and keeps the checksum of all. */
class Output {
  readonly #file: File;
  readonly #saltChecksum: number;
  readonly #buffer = Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES);
  #buffered = 0;
  #written = 0;
  #checksum = 0;

  constructor(file: File, options: TableWriterOptions) {
    this.#file = file;
    this.#saltChecksum = saltChecksum(options.salt);
  }

  get position(): number {
    return this.#written + this.#buffered;
  }

  /** Of all that `sync` has written. */
  get checksum(): number {
    return this.#checksum;
  }

  writeBlock(bytes: Buffer, codec: CodecName): BlockHandle {
    const compressed = compress(codec, bytes);
    const stored = compressed ?? bytes;
    const framed = Buffer.allocUnsafe(stored.length + BLOCK_TRAILER_BYTES);
    framed.set(stored);
    framed[stored.length] = compressed === undefined ? CODEC_NONE : CODEC_SNAPPY;
    const offset = this.position;
    const checksum = blockChecksum(this.#saltChecksum, offset, framed.subarray(0, stored.length + 1));
    framed.writeUInt32LE(checksum, stored.length + 1);
    this.append(framed);
    return { offset, length: stored.length };
  }

  append(bytes: Buffer): void {
    if (this.#buffered + bytes.length > WRITE_BUFFER_BYTES) this.#flush();
    if (bytes.length > WRITE_BUFFER_BYTES) {
      this.#write(bytes);
      return;
    }
    bytes.copy(this.#buffer, this.#buffered);
    this.#buffered += bytes.length;
  }

  sync(): void {
    this.#flush();
    this.#file.syncNow();
  }

  #flush(): void {
    if (this.#buffered > 0) this.#write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #write(bytes: Buffer): void {
    this.#file.write(bytes, this.#written);
    this.#checksum = crc32(bytes, this.#checksum);
    this.#written += bytes.length;
  }
}
