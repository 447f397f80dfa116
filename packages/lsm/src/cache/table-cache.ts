/**
 * Open readers by file number, bounded in number. Every open descriptor of a table belongs to a node of the list, so the
 * bound holds for descriptors too: a reader that was driven out while an iterator still walks it opens its file again,
 * and that puts it back into the list.
 */
import type { TableSalt } from '../compaction/job.ts';
import { tableFileName } from '../file-names.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import type { ReadCounters } from '../sstable/read-counters.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { BlockCache } from './block-cache.ts';
import { LruCache, LruNode } from './lru-cache.ts';

/** What the MANIFEST says of a table, as far as opening it goes. */
export interface TableIdentity {
  readonly number: number;
  readonly sizeBytes: number;
  readonly salt: TableSalt;
}

export interface TableCacheDependencies {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly counters: ReadCounters;
  readonly blockCache?: BlockCache;
}

class OpenTable extends LruNode {
  readonly number: number;
  reader: TableReader | undefined;
  listed = false;

  constructor(number: number) {
    super(1);
    this.number = number;
  }
}

export class TableCache {
  readonly #dependencies: TableCacheDependencies;
  readonly #tables = new Map<number, OpenTable>();
  readonly #open: LruCache<OpenTable>;

  constructor(dependencies: TableCacheDependencies, openTablesMax: number) {
    this.#dependencies = dependencies;
    this.#open = new LruCache<OpenTable>(openTablesMax, (table) => this.#evicted(table));
  }

  /** Number of open descriptors. */
  get openCount(): number {
    return this.#open.count;
  }

  /** The reader of a table, opened if need be. Throws LSM_CORRUPTION, LSM_INCOMPATIBLE_FORMAT, LSM_IO. */
  get(table: TableIdentity): TableReader {
    const known = this.#tables.get(table.number);
    if (known?.reader !== undefined) {
      if (known.listed) this.#open.touch(known);
      return known.reader;
    }
    return this.#openTable(table);
  }

  /** Closes a table that will not be read again, and gives up its cached blocks. */
  remove(number: number): void {
    const table = this.#tables.get(number);
    if (table !== undefined) this.#drop(table);
  }

  /** Closes all tables. */
  close(): void {
    for (const table of [...this.#tables.values()]) this.#drop(table);
  }

  #openTable({ number, sizeBytes, salt }: TableIdentity): TableReader {
    const { fileSystem, directory, counters, blockCache } = this.#dependencies;
    const table = new OpenTable(number);
    try {
      table.reader = TableReader.openSync({
        fileSystem,
        path: `${directory}/${tableFileName(number)}`,
        sizeBytes,
        salt,
        counters,
        ...(blockCache === undefined ? {} : { blockCache }),
        onOpen: () => this.#opened(table),
      });
      return table.reader;
    } catch (error) {
      this.#drop(table);
      throw error;
    }
  }

  #opened(table: OpenTable): void {
    if (table.listed) return;
    table.listed = true;
    if (!this.#tables.has(table.number)) this.#tables.set(table.number, table);
    this.#open.add(table);
  }

  #evicted(table: OpenTable): void {
    table.listed = false;
    this.#drop(table);
  }

  #drop(table: OpenTable): void {
    if (this.#tables.get(table.number) === table) this.#tables.delete(table.number);
    if (table.listed) this.#open.remove(table);
    table.listed = false;
    table.reader?.close();
  }
}
