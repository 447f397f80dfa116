/**
 * The engines behind one face, each by the quickest of its own public calls. Both have 10 bits of Bloom filter per key,
 * snappy, 4 KiB blocks, a 4 MiB memtable and the same block cache; all else is their own default.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine, WriteBatch } from '@kvd/lsm';
import { benchmarksDirectory } from './places.ts';

export const ENGINE_NAMES = ['kvd', 'classic-level', 'classic-level, 64 threads'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

const BLOCK_CACHE_BYTES = 32 * 1024 * 1024;
const SETTLE_POLL_MS = 100;
/** LevelDB compacts level 0 from this many tables on. */
const LEVELDB_LEVEL0_TRIGGER = 4;
const PAIRS_PER_STEP = 1000;

export type Pair = readonly [key: Buffer, value: Buffer];

export interface BenchmarkedEngine {
  put(key: Buffer, value: Buffer): Promise<void>;
  /** Fulfilled once it is on the disk. */
  putDurably(key: Buffer, value: Buffer): Promise<void>;
  putAll(pairs: readonly Pair[]): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  getSync(key: Buffer): Buffer | undefined;
  /** Walks all entries by `for await`; answers how many. */
  iterate(): Promise<number>;
  /** Walks all entries by the engine's quickest means, looking at key and value; answers how many. */
  walk(): Promise<number>;
  /** Fulfilled when flushes and due compactions are done. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export function openEngine(name: EngineName, directory: string): Promise<BenchmarkedEngine> {
  return name === 'kvd' ? openKvd(directory) : openClassicLevel(directory);
}

async function openKvd(directory: string): Promise<BenchmarkedEngine> {
  const engine = await Engine.open(directory, { blockCacheSizeBytes: BLOCK_CACHE_BYTES });
  const durably = { durability: 'sync' } as const;
  const batch = new WriteBatch();
  return {
    put: (key, value) => engine.put(key, value),
    putDurably: (key, value) => engine.put(key, value, durably),
    putAll: (pairs) => {
      batch.clear();
      for (const [key, value] of pairs) batch.put(key, value);
      return engine.write(batch);
    },
    get: (key) => engine.get(key),
    getSync: (key) => engine.getSync(key),
    iterate: async () => countEntries(engine.iterate()),
    walk: async () => {
      using cursor = engine.cursor();
      let entries = 0;
      let bytes = 0;
      for (; cursor.next(); entries++) bytes += cursor.key.length + cursor.value.length;
      return bytes === 0 ? 0 : entries;
    },
    settle: () => engine.settled(),
    close: () => engine.close(),
  };
}

/** What is used of classic-level; its own types are installed only with the peers. */
interface ClassicLevel {
  open(): Promise<void>;
  close(): Promise<void>;
  put(key: Buffer, value: Buffer, options?: { readonly sync: boolean }): Promise<void>;
  batch(operations: readonly { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }[]): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  getSync(key: Buffer): Buffer | undefined;
  getProperty(name: string): string;
  iterator(): AsyncIterable<Pair> & { nextv(size: number): Promise<Pair[]>; close(): Promise<void> };
}
type ClassicLevelConstructor = new (directory: string, options: object) => ClassicLevel;

async function openClassicLevel(directory: string): Promise<BenchmarkedEngine> {
  const fromPeers = createRequire(join(benchmarksDirectory, 'peers', 'package.json'));
  const module = fromPeers('classic-level') as { readonly ClassicLevel: ClassicLevelConstructor };
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
  const database = new module.ClassicLevel(directory, { ...encodings, cacheSize: BLOCK_CACHE_BYTES });
  await database.open();
  const durably = { sync: true };
  return {
    put: (key, value) => database.put(key, value),
    putDurably: (key, value) => database.put(key, value, durably),
    putAll: (pairs) => database.batch(pairs.map(([key, value]) => ({ type: 'put', key, value }))),
    get: (key) => database.get(key),
    getSync: (key) => database.getSync(key),
    iterate: async () => countEntries(database.iterator()),
    walk: () => walkClassicLevel(database),
    settle: () => settleClassicLevel(database),
    close: () => database.close(),
  };
}

async function walkClassicLevel(database: ClassicLevel): Promise<number> {
  const iterator = database.iterator();
  let entries = 0;
  let bytes = 0;
  for (;;) {
    const pairs = await iterator.nextv(PAIRS_PER_STEP);
    if (pairs.length === 0) break;
    for (const [key, value] of pairs) bytes += key.length + value.length;
    entries += pairs.length;
  }
  await iterator.close();
  return bytes === 0 ? 0 : entries;
}

/** LevelDB does not say when it is done: level 0 below its trigger, twice in a row, is the nearest. */
async function settleClassicLevel(database: ClassicLevel): Promise<void> {
  for (let calm = 0; calm < 2; ) {
    await sleep(SETTLE_POLL_MS);
    calm = Number(database.getProperty('leveldb.num-files-at-level0')) < LEVELDB_LEVEL0_TRIGGER ? calm + 1 : 0;
  }
}

async function countEntries(pairs: AsyncIterable<readonly unknown[]>): Promise<number> {
  let entries = 0;
  for await (const [key] of pairs) if (key !== undefined) entries++;
  return entries;
}
