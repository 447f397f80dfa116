/**
 * Point reads and walks over a tree: memtables from new to old, then level 0 from new to old, then one table of each
 * deeper level. A read stops at the first entry that decides; one that cannot be read is an error, never "absent".
 */
import { filterHash } from './filter.ts';
import { TRAILER_BYTES } from './internal-key.ts';
import type { InternalIterator } from './iterator/iterator.ts';
import { LevelIterator } from './iterator/level-iterator.ts';
import { MergingIterator } from './iterator/merging-iterator.ts';
import { type Resolve, VisibleIterator, type VisibleIteratorOptions } from './iterator/visible-iterator.ts';
import { Lookup } from './lookup.ts';
import { mergeOperator } from './merge-operator.ts';
import { LsmError } from './errors.ts';
import type { Tree, TreeView } from './tree.ts';
import { LEVELS, type TableMeta, type Version } from './version/version.ts';

/** What the read path needs of an open table. */
export interface OpenTable {
  find(lookup: Lookup): boolean;
  iterator(): InternalIterator;
}

export type OpenTableOf = (table: TableMeta) => OpenTable;

export class ReadPath {
  readonly #tree: Tree;
  readonly #open: OpenTableOf;
  readonly resolve: Resolve;

  constructor(tree: Tree, open: OpenTableOf, mergeOperatorName: string) {
    this.#tree = tree;
    this.#open = open;
    this.resolve = resolverOf(mergeOperatorName);
  }

  /** The value of a key at a sequence, as a copy; `undefined` when absent. */
  get(userKey: Buffer, sequence: number): Buffer | undefined {
    const lookup = new Lookup(userKey, sequence, filterHash(userKey));
    this.#find(lookup);
    if (lookup.operands !== undefined) return this.resolve(lookup.value, lookup.operands);
    return lookup.value === undefined ? undefined : copyOf(lookup.value);
  }

  /** A walk over what `view` holds. */
  walk(view: TreeView, options: Omit<VisibleIteratorOptions, 'sequence' | 'resolve'>): VisibleIterator {
    const source = new MergingIterator(this.#sources(view));
    return new VisibleIterator(source, { ...options, sequence: view.sequence, resolve: this.resolve });
  }

  #find(lookup: Lookup): void {
    const tree = this.#tree;
    if (tree.active.find(lookup)) return;
    for (const { memtable } of tree.sealed) if (memtable.find(lookup)) return;
    this.#findInTables(tree.versions.current, lookup);
  }

  #findInTables(version: Version, lookup: Lookup): void {
    for (const table of version.level(0)) {
      if (covers(table, lookup.userKey) && this.#open(table).find(lookup)) return;
    }
    for (let level = 1; level < LEVELS; level++) {
      if (version.level(level).length === 0) continue;
      const table = version.tableFor(level, lookup.userKey);
      if (table !== undefined && this.#open(table).find(lookup)) return;
    }
  }

  #sources(view: TreeView): InternalIterator[] {
    const sources = view.generations.map(({ memtable }) => memtable.iterator());
    for (const table of view.version.level(0)) sources.push(this.#open(table).iterator());
    const openIterator = (table: TableMeta) => this.#open(table).iterator();
    for (const tables of view.version.levels.slice(1)) {
      if (tables.length > 0) sources.push(new LevelIterator(tables, openIterator));
    }
    return sources;
  }
}

/** What a source gives is a view into memory that is used again. */
function copyOf(view: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(view.length);
  copy.set(view);
  return copy;
}

function covers(table: TableMeta, userKey: Buffer): boolean {
  return (
    table.smallest.compare(userKey, 0, userKey.length, 0, table.smallest.length - TRAILER_BYTES) <= 0 &&
    table.largest.compare(userKey, 0, userKey.length, 0, table.largest.length - TRAILER_BYTES) >= 0
  );
}

function resolverOf(name: string): Resolve {
  const operator = mergeOperator(name);
  return (base, operandsNewestFirst) => {
    if (operator === undefined)
      throw new LsmError('LSM_OPTIONS', 'the directory holds merges: open it with mergeOperatorName');
    return operator.merge(base, operandsNewestFirst.toReversed());
  };
}
