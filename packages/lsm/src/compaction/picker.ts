/**
 * Which tables to compact next: a pure look at a version. Leveled: level 0 by its number of tables, each deeper level by
 * its size against a target that grows by a constant ratio. The level furthest over its bound goes first; within a level
 * the choice goes round, from where it left off.
 */
import { compareInternalKeys, userKeyOf } from '../internal-key.ts';
import type { ResolvedOptions } from '../options.ts';
import { LEVELS, type TableMeta, type Version } from '../version/version.ts';

export interface CompactionPlan {
  readonly level: number;
  readonly outputLevel: number;
  /** From `level`, in the order of the version. */
  readonly upper: readonly TableMeta[];
  /** From `outputLevel`. */
  readonly lower: readonly TableMeta[];
  /** Newest first, each sorted and disjoint. */
  readonly runs: readonly (readonly TableMeta[])[];
  /** No level below the output holds any key of the range. */
  readonly bottommost: boolean;
  /** Nothing to merge with: the one table changes its level and keeps its file. */
  readonly isMove: boolean;
}

type PickerOptions = Pick<ResolvedOptions, 'level0CompactionTables' | 'level1SizeBytes' | 'levelSizeRatio'>;

/** `undefined` when no level is over its bound. `pointers[level]` is where the last compaction of the level ended. */
export function pickCompaction(
  version: Version,
  pointers: readonly (Buffer | undefined)[],
  options: PickerOptions,
): CompactionPlan | undefined {
  const level = worstLevel(version, options);
  if (level === undefined) return undefined;
  const upper = level === 0 ? version.level(0) : [nextTable(version.level(level), pointers[level])];
  return planOf(version, level, upper);
}

/** Target size of a level below 0. */
export function levelTargetBytes(level: number, options: PickerOptions): number {
  return options.level1SizeBytes * options.levelSizeRatio ** (level - 1);
}

/** Bytes that stand above the targets of their levels, level 0 above its trigger included. */
export function compactionDebtBytes(version: Version, options: PickerOptions): number {
  const level0 = version.level(0);
  let debt = level0.length > options.level0CompactionTables ? version.levelSizeBytes(0) : 0;
  for (let level = 1; level < LEVELS - 1; level++) {
    debt += Math.max(0, version.levelSizeBytes(level) - levelTargetBytes(level, options));
  }
  return debt;
}

function worstLevel(version: Version, options: PickerOptions): number | undefined {
  let worst: number | undefined;
  let worstScore = 1;
  for (let level = 0; level < LEVELS - 1; level++) {
    const score =
      level === 0
        ? version.level(0).length / options.level0CompactionTables
        : version.levelSizeBytes(level) / levelTargetBytes(level, options);
    if (score < worstScore || (score === worstScore && worst !== undefined) || version.level(level).length === 0)
      continue;
    worst = level;
    worstScore = score;
  }
  return worst;
}

function nextTable(tables: readonly TableMeta[], pointer: Buffer | undefined): TableMeta {
  const next = pointer && tables.find((table) => compareInternalKeys(table.smallest, pointer) > 0);
  return next ?? (tables[0] as TableMeta);
}

function planOf(version: Version, level: number, upper: readonly TableMeta[]): CompactionPlan {
  const outputLevel = level + 1;
  const { smallest, largest } = rangeOf(upper);
  const lower = version.overlapping(outputLevel, smallest, largest);
  const range = rangeOf([...upper, ...lower]);
  const upperRuns = level === 0 ? upper.map((table) => [table]) : [upper];
  return {
    level,
    outputLevel,
    upper,
    lower,
    runs: lower.length === 0 ? upperRuns : [...upperRuns, lower],
    bottommost: isBottommost(version, outputLevel, range.smallest, range.largest),
    isMove: lower.length === 0 && upper.length === 1,
  };
}

function isBottommost(version: Version, outputLevel: number, smallest: Buffer, largest: Buffer): boolean {
  for (let level = outputLevel + 1; level < LEVELS; level++) {
    if (version.overlapping(level, smallest, largest).length > 0) return false;
  }
  return true;
}

/** User keys. */
function rangeOf(tables: readonly TableMeta[]): { smallest: Buffer; largest: Buffer } {
  let smallest = userKeyOf((tables[0] as TableMeta).smallest);
  let largest = userKeyOf((tables[0] as TableMeta).largest);
  for (const table of tables) {
    if (userKeyOf(table.smallest).compare(smallest) < 0) smallest = userKeyOf(table.smallest);
    if (userKeyOf(table.largest).compare(largest) > 0) largest = userKeyOf(table.largest);
  }
  return { smallest, largest };
}
