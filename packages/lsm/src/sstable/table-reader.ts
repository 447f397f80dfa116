/**
 * Reads one table. Opening it checks size, footer, format and salt, and keeps the index (or its top level), the filter
 * and the properties in memory; all else is read and checked when it is needed. A reader never changes and may be used
 * for ever: its file descriptor comes and goes (table-file.ts).
 *
 * Damage: footer, index and properties make opening or reading fail with LSM_CORRUPTION; a damaged filter only costs its
 * use; nothing is ever taken for "absent".
 */
import type { BlockCache, TableBlocks } from '../cache/block-cache.ts';
import { LsmError } from '../errors.ts';
import { FilterProbe } from '../filter.ts';
import { KIND_SEEK, TRAILER_BYTES, writeTrailer } from '../internal-key.ts';
import type { Lookup } from '../lookup.ts';
import { Block, FIND_CONTINUES, findInBlock } from './block.ts';
import type { BlockHandle, Footer } from './format.ts';
import { IndexCursor } from './index-cursor.ts';
import * as properties from './properties.ts';
import { TableFile, type TableFileDependencies } from './table-file.ts';
import { type BlockSource, TableIterator } from './table-iterator.ts';

export interface TableReaderDependencies extends TableFileDependencies {
  /** Without one, each block is read anew. */
  readonly blockCache?: BlockCache;
}

/** What the table says of itself. */
export interface TableProperties {
  readonly entries: number;
  readonly deletes: number;
  readonly merges: number;
  readonly dataBlocks: number;
  /** Internal keys. */
  readonly smallest: Buffer;
  readonly largest: Buffer;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  readonly bag: properties.PropertyBag;
}

export interface TableIteratorOptions {
  /**
   * Put blocks that had to be read into the block cache.
   * @default true
   */
  readonly fillCache?: boolean;
}

/** Where point reads put the key they seek; they are synchronous, it is never in use twice. */
let seekBuffer = Buffer.allocUnsafeSlow(1024);
let seekView = seekBuffer.subarray(0, TRAILER_BYTES);

export class TableReader implements BlockSource {
  readonly properties: TableProperties;
  readonly #dependencies: TableReaderDependencies;
  readonly #file: TableFile;
  readonly #filter: FilterProbe | undefined;
  readonly #index: Block;
  readonly #indexLevels: 1 | 2;
  readonly #cached: TableBlocks | undefined;
  readonly #findCursor: IndexCursor;

  /** Use `openSync`. */
  private constructor(dependencies: TableReaderDependencies, file: TableFile, footer: Footer) {
    this.#dependencies = dependencies;
    this.#file = file;
    this.#indexLevels = footer.indexLevels;
    this.#cached = dependencies.blockCache?.table();
    this.#index = this.#parse(file.readBlock(footer.index), footer.index.offset);
    this.#filter = this.#openFilter(footer.filter);
    this.properties = readProperties(file.readBlock(footer.properties), file.path);
    this.#findCursor = this.indexCursor(true);
  }

  /**
   * Opens a table and checks all that it keeps in memory.
   * Throws LSM_CORRUPTION (kind `missing`, `size`, `footer`, `salt`, …), LSM_INCOMPATIBLE_FORMAT, LSM_IO.
   */
  static openSync(dependencies: TableReaderDependencies): TableReader {
    const file = new TableFile(dependencies);
    try {
      return new TableReader(dependencies, file, file.readFooter());
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Gives the entries of the lookup's key that it may see, newest first, to the lookup. True when it needs no older one.
   * Throws LSM_CORRUPTION, LSM_IO.
   */
  find(lookup: Lookup): boolean {
    const filter = this.#filter;
    if (filter !== undefined && !this.#mayContain(filter, lookup)) return false;
    const seekKey = seekKeyOf(lookup);
    const cursor = this.#findCursor;
    for (cursor.seek(seekKey); cursor.valid; cursor.next()) {
      const result = this.#findAt(cursor, seekKey, lookup);
      if (result !== FIND_CONTINUES) return result === 1;
    }
    return false;
  }

  #findAt(cursor: IndexCursor, seekKey: Buffer, lookup: Lookup): number {
    try {
      return findInBlock(this.block(cursor, true), seekKey, lookup);
    } catch (error) {
      throw this.#located(error, cursor.offset);
    }
  }

  #mayContain(filter: FilterProbe, lookup: Lookup): boolean {
    const counters = this.#dependencies.counters;
    counters.filterProbes++;
    if (filter.mayContain(lookup.filterHash)) return true;
    counters.filterNegatives++;
    return false;
  }

  /** Walks all entries of the table. */
  iterator(options: TableIteratorOptions = {}): TableIterator {
    return new TableIterator(this, options.fillCache ?? true);
  }

  indexCursor(fillCache: boolean): IndexCursor {
    return new IndexCursor(
      this.#index,
      this.#indexLevels === 1 ? undefined : (handle) => this.block(handle, fillCache),
    );
  }

  /** A block by its handle, from the cache or the file. Throws LSM_CORRUPTION, LSM_IO. */
  block(handle: BlockHandle, fillCache: boolean): Block {
    const offset = handle.offset;
    const cached = this.#cached?.get(offset);
    if (cached !== undefined) {
      this.#dependencies.counters.cacheHits++;
      return cached;
    }
    this.#dependencies.counters.cacheMisses++;
    const block = this.#parse(this.#file.readBlock(handle), offset);
    if (fillCache) this.#cached?.put(offset, block);
    return block;
  }

  get isOpen(): boolean {
    return this.#file.isOpen;
  }

  /** Gives up the descriptor and the cached blocks. A later read opens the file again. */
  close(): void {
    this.#cached?.clear();
    this.#file.close();
  }

  #openFilter(handle: BlockHandle): FilterProbe | undefined {
    if (handle.length === 0) return undefined;
    const probe = this.#readFilter(handle);
    if (probe === undefined) this.#dependencies.counters.filtersDamaged++;
    return probe;
  }

  /** A damaged filter must not make the table unreadable: without it, every key "may" be there. */
  #readFilter(handle: BlockHandle): FilterProbe | undefined {
    try {
      return FilterProbe.open(this.#file.readBlock(handle));
    } catch (error) {
      if (error instanceof LsmError && error.code === 'LSM_CORRUPTION') return undefined;
      throw error;
    }
  }

  #parse(bytes: Buffer, offset: number): Block {
    try {
      return new Block(bytes);
    } catch (error) {
      throw this.#located(error, offset);
    }
  }

  /** Says in which file and where a block is damaged. */
  #located(error: unknown, offset: number): unknown {
    if (!(error instanceof LsmError) || error.file !== undefined) return error;
    const { path } = this.#dependencies;
    const kind = error.kind ?? 'block';
    return new LsmError(error.code, `${path}: ${error.message} (block at ${offset})`, {
      cause: error,
      file: path,
      offset,
      kind,
    });
  }
}

function seekKeyOf(lookup: Lookup): Buffer {
  const userKey = lookup.userKey;
  const length = userKey.length + TRAILER_BYTES;
  if (length > seekBuffer.length) seekBuffer = Buffer.allocUnsafeSlow(length * 2);
  if (length !== seekView.length || seekView.buffer !== seekBuffer.buffer) seekView = seekBuffer.subarray(0, length);
  seekView.set(userKey);
  writeTrailer(seekView, userKey.length, lookup.sequence, KIND_SEEK);
  return seekView;
}

function readProperties(bytes: Buffer, file: string): TableProperties {
  try {
    const bag = properties.decodeProperties(bytes);
    return {
      entries: properties.numberProperty(bag, properties.PROPERTY_ENTRIES),
      deletes: properties.numberProperty(bag, properties.PROPERTY_DELETES),
      merges: properties.numberProperty(bag, properties.PROPERTY_MERGES),
      dataBlocks: properties.numberProperty(bag, properties.PROPERTY_DATA_BLOCKS),
      smallest: properties.bytesProperty(bag, properties.PROPERTY_SMALLEST),
      largest: properties.bytesProperty(bag, properties.PROPERTY_LARGEST),
      smallestSequence: properties.numberProperty(bag, properties.PROPERTY_SMALLEST_SEQUENCE),
      largestSequence: properties.numberProperty(bag, properties.PROPERTY_LARGEST_SEQUENCE),
      bag,
    };
  } catch (cause) {
    throw new LsmError('LSM_CORRUPTION', `${file}: properties cannot be decoded`, { cause, file, kind: 'properties' });
  }
}
