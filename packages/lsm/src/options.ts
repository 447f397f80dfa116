/**
 * Options of an engine: plain data. What is not given is taken from DEFAULTS; `resolveOptions` checks every value and
 * names the option that is wrong. None of them is recorded in the files, save the merge operator's name: a directory
 * may be opened with other options at any time.
 */
import { LsmError } from './errors.ts';
import { mergeOperator } from './merge-operator.ts';

export type CodecName = 'none' | 'snappy';

/**
 * When a write is answered.
 * - `memory`: in the memtable; lost by a killed process.
 * - `os`: after write(2); survives a killed process, not a power failure.
 * - `sync`: after fdatasync; survives both.
 */
export type Durability = 'memory' | 'os' | 'sync';

export interface EngineOptions {
  /**
   * Memtable size at which it is sealed and flushed. Larger: fewer, bigger tables and faster bulk loads. Costs:
   * `sealedMemtablesMax` + 1 times this much memory, and a longer recovery. At least 4 KiB.
   * @default 4194304
   */
  readonly memtableSizeBytes?: number;
  /**
   * Sealed memtables that may wait for their flush. Answers to writes are delayed ever more on the way there; at the
   * bound `commit` refuses with LSM_BUSY, and the promise calls wait for room.
   * @default 8
   */
  readonly sealedMemtablesMax?: number;
  /**
   * Uncompressed size at which a data block is cut. Larger: better compression, smaller index; each uncached read
   * decodes more.
   * @default 4096
   */
  readonly blockSizeBytes?: number;
  /**
   * Size at which compaction starts a new table. Larger: fewer files; longer single compactions.
   * @default 4194304
   */
  readonly tableSizeBytes?: number;
  /**
   * Memory for decompressed blocks. 0 caches none. Larger: fewer reads and decompressions.
   * @default 33554432
   */
  readonly blockCacheSizeBytes?: number;
  /**
   * Tables kept open. Each costs a file descriptor, its index and its filter.
   * @default 512
   */
  readonly openTablesMax?: number;
  /**
   * Bloom filter bits per key; 10 give about 1 % false positives. 0 writes no filters: a miss then reads a block per
   * level.
   * @default 10
   */
  readonly bloomBitsPerKey?: number;
  /**
   * Codec of data blocks written from now on; a block that hardly shrinks is stored as it is.
   * @default 'snappy'
   */
  readonly codec?: CodecName;
  /**
   * Level-0 tables that start a compaction. Larger: less writing; each read looks at more tables.
   * @default 4
   */
  readonly level0CompactionTables?: number;
  /**
   * Level-0 tables at which the write delay is largest; it grows smoothly from `level0CompactionTables` × 2 on.
   * More than that.
   * @default 32
   */
  readonly level0TablesMax?: number;
  /**
   * Target size of level 1; each deeper level may hold `levelSizeRatio` times more.
   * @default 16777216
   */
  readonly level1SizeBytes?: number;
  /**
   * Growth of the targets from level to level. Larger: fewer levels, more writing per level.
   * @default 10
   */
  readonly levelSizeRatio?: number;
  /**
   * The longest delay of a write's answer while compaction is behind, in ms. 0 switches the delay off.
   * @default 50
   */
  readonly writeDelayMaxMs?: number;
  /**
   * Durability of `put`, `delete`, `merge` and `write` that name none. The default is what LevelDB does: a write
   * survives a killed process, not a power failure.
   * @default 'os'
   */
  readonly durability?: Durability;
  /**
   * Name of the merge operator. Recorded in the MANIFEST with the first open that gives one; every later open must give
   * the same. The empty string is none.
   * @default ''
   */
  readonly mergeOperatorName?: string;
}

export type ResolvedOptions = Required<EngineOptions>;

export const DEFAULTS: ResolvedOptions = Object.freeze({
  memtableSizeBytes: 4_194_304,
  sealedMemtablesMax: 8,
  blockSizeBytes: 4096,
  tableSizeBytes: 4_194_304,
  blockCacheSizeBytes: 33_554_432,
  openTablesMax: 512,
  bloomBitsPerKey: 10,
  codec: 'snappy',
  level0CompactionTables: 4,
  level0TablesMax: 32,
  level1SizeBytes: 16_777_216,
  levelSizeRatio: 10,
  writeDelayMaxMs: 50,
  durability: 'os',
  mergeOperatorName: '',
});

/** Smallest and largest value of each numeric option. */
const RANGES = {
  memtableSizeBytes: [4096, 0x40000000],
  sealedMemtablesMax: [1, 1024],
  blockSizeBytes: [64, 0x1000000],
  tableSizeBytes: [1024, 0x40000000],
  blockCacheSizeBytes: [0, 2 ** 40],
  openTablesMax: [1, 1_000_000],
  bloomBitsPerKey: [0, 64],
  level0CompactionTables: [1, 1000],
  level0TablesMax: [2, 100_000],
  level1SizeBytes: [1024, 2 ** 50],
  levelSizeRatio: [2, 100],
  writeDelayMaxMs: [0, 60_000],
} as const satisfies Partial<Record<keyof EngineOptions, readonly [number, number]>>;

/** Fills in the defaults. Throws LSM_OPTIONS naming the option that is unknown or out of its range. */
export function resolveOptions(options: EngineOptions = {}): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object');
  for (const name of Object.keys(options)) if (!(name in DEFAULTS)) refuse(name, 'is not an option of the engine');
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedOptions = { ...DEFAULTS, ...Object.fromEntries(given) };
  for (const [name, range] of Object.entries(RANGES)) checkRange(name, resolved[name as keyof typeof RANGES], range);
  checkChoice('codec', resolved.codec, ['none', 'snappy']);
  checkDurability(resolved.durability);
  checkMergeOperator(resolved.mergeOperatorName);
  if (resolved.level0TablesMax <= resolved.level0CompactionTables * 2) {
    refuse('level0TablesMax', `must be more than twice level0CompactionTables (${resolved.level0CompactionTables})`);
  }
  return Object.freeze(resolved);
}

/** Throws LSM_OPTIONS unless `durability` is one of the three. */
export function checkDurability(durability: Durability): void {
  checkChoice('durability', durability, ['memory', 'os', 'sync']);
}

function checkRange(name: string, value: unknown, [smallest, largest]: readonly [number, number]): void {
  if (Number.isSafeInteger(value) && (value as number) >= smallest && (value as number) <= largest) return;
  refuse(name, `must be an integer from ${smallest} to ${largest}, found ${String(value)}`);
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) refuse(name, `must be one of ${choices.join(', ')}, found ${String(value)}`);
}

function checkMergeOperator(name: unknown): void {
  if (typeof name !== 'string') refuse('mergeOperatorName', `must be a string, found ${String(name)}`);
  else if (name !== '' && mergeOperator(name) === undefined) refuse('mergeOperatorName', `${name} is not known`);
}

function refuse(name: string, problem: string): never {
  throw new LsmError('LSM_OPTIONS', `option ${name} ${problem}`);
}
