/**
 * Which tables make up the data: an immutable value, replaced by each flush and compaction.
 *
 *   level 0   newest first, ranges overlap
 *   level 1…  sorted by key, disjoint: at most one table of a level holds a user key
 *
 * All entries of a user key in level n are newer than those in level n + 1.
 */
import { strict as assert } from 'node:assert';
import type { TableSalt } from '../compaction/job.ts';
import { compareInternalKeys, TRAILER_BYTES } from '../internal-key.ts';

export const LEVELS = 7;

export interface TableMeta {
  readonly number: number;
  readonly sizeBytes: number;
  readonly salt: TableSalt;
  /** Internal keys. */
  readonly smallest: Buffer;
  readonly largest: Buffer;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** Not 0: every entry of the table counts as written at this sequence (ingested tables; none are made yet). */
  readonly globalSequence: number;
  readonly entries: number;
  /** CRC-32 of the whole file. */
  readonly checksum: number;
  /** What later versions may want to know of a table; kept as it is by those that do not know it. */
  readonly properties: ReadonlyMap<string, Buffer>;
}

export interface TableChange {
  readonly level: number;
  readonly table: TableMeta;
}

export class Version {
  static readonly empty = new Version(Array.from({ length: LEVELS }, () => []));

  readonly levels: readonly (readonly TableMeta[])[];

  /** Asserts the order of each level. */
  constructor(levels: readonly (readonly TableMeta[])[]) {
    assert.equal(levels.length, LEVELS);
    this.levels = levels;
    for (let level = 1; level < LEVELS; level++) assertDisjoint(level, this.level(level));
  }

  level(number: number): readonly TableMeta[] {
    return this.levels[number] as readonly TableMeta[];
  }

  /** The version after removing and adding tables. Removing one that is not there is an error. */
  apply(
    added: readonly TableChange[],
    removed: readonly { readonly level: number; readonly number: number }[],
  ): Version {
    const levels = this.levels.map((tables) => tables.slice());
    for (const { level, number } of removed) {
      const tables = levels[level] as TableMeta[];
      const at = tables.findIndex((table) => table.number === number);
      assert.ok(at >= 0, `table ${number} is not in level ${level}`);
      tables.splice(at, 1);
    }
    for (const { level, table } of added) (levels[level] as TableMeta[]).push(table);
    for (const [level, tables] of levels.entries()) tables.sort(level === 0 ? newestFirst : byKey);
    return new Version(levels);
  }

  tables(): TableMeta[] {
    return this.levels.flat();
  }

  levelSizeBytes(level: number): number {
    return this.level(level).reduce((sum, table) => sum + table.sizeBytes, 0);
  }

  /** Tables of `level` that may hold user keys from `smallest` to `largest`, both included. */
  overlapping(level: number, smallest: Buffer, largest: Buffer): TableMeta[] {
    return this.level(level).filter(
      (table) => compareToUserKey(table.largest, smallest) >= 0 && compareToUserKey(table.smallest, largest) <= 0,
    );
  }

  /** The one table of a level below 0 whose range holds the user key. */
  tableFor(level: number, userKey: Buffer): TableMeta | undefined {
    const tables = this.level(level);
    const at = firstEndingAtOrAfter(tables, userKey);
    const table = tables[at];
    return table !== undefined && compareToUserKey(table.smallest, userKey) <= 0 ? table : undefined;
  }
}

/** Index of the first table whose largest user key is ≥ `userKey`. */
export function firstEndingAtOrAfter(tables: readonly TableMeta[], userKey: Buffer): number {
  let low = 0;
  let high = tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareToUserKey((tables[middle] as TableMeta).largest, userKey) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Order of an internal key's user key against a user key. */
export function compareToUserKey(internalKey: Buffer, userKey: Buffer): number {
  return internalKey.compare(userKey, 0, userKey.length, 0, internalKey.length - TRAILER_BYTES);
}

function newestFirst(a: TableMeta, b: TableMeta): number {
  return b.largestSequence - a.largestSequence || b.number - a.number;
}

function byKey(a: TableMeta, b: TableMeta): number {
  return compareInternalKeys(a.smallest, b.smallest);
}

function assertDisjoint(level: number, tables: readonly TableMeta[]): void {
  for (let i = 0; i < tables.length; i++) {
    const table = tables[i] as TableMeta;
    assert.ok(compareInternalKeys(table.smallest, table.largest) <= 0, `table ${table.number} ends before it begins`);
    const next = tables[i + 1];
    if (next === undefined) continue;
    const end = next.smallest.subarray(0, next.smallest.length - TRAILER_BYTES);
    assert.ok(
      compareToUserKey(table.largest, end) < 0,
      `level ${level}: tables ${table.number} and ${next.number} overlap`,
    );
  }
}
