/**
 * The engine's workloads, under the field's names. Each is told an opened engine and how many entries there are; `prepare` is
 * not timed and makes what `run` needs, so that between two looks at the clock stands nothing but the engine's calls.
 * A wrong answer is an error: what is fast and wrong has no number.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { KeySequence, ValueSequence } from './entries.ts';
import type { BenchmarkedEngine, EngineName, Pair } from './engines.ts';

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** Whether all entries are there before: loaded shuffled, settled, the engine opened anew. */
  readonly isLoaded: boolean;
  /** Not by all: libuv's pool of threads matters only where much is in flight. */
  readonly engines: readonly EngineName[];
  readonly prepare: (entries: number) => (engine: BenchmarkedEngine) => Promise<number>;
}

const IN_FLIGHT = 64;
const BATCH_ENTRIES = 1000;
/** Durable writes are that much dearer. */
const SYNC_SHARE = 10;
/** Synchronous loops let the event loop turn this often, as any program must; memory of addons is freed there. */
const CALLS_PER_TURN = 1000;
const BOTH: readonly EngineName[] = ['kvd', 'classic-level'];
const ALL: readonly EngineName[] = [...BOTH, 'classic-level, 64 threads'];

export const WORKLOADS: readonly Workload[] = [
  write('fillseq', 'put in key order, each awaited', BOTH, (entries) => {
    const keys = KeySequence.inOrder(entries);
    return (engine, values) => inFlight(entries, 1, (i) => engine.put(keys.at(i), values.at(i)));
  }),
  write('fillrandom', 'put of random keys, each awaited', BOTH, (entries) => {
    const keys = KeySequence.drawn(entries, entries);
    return (engine, values) => inFlight(entries, 1, (i) => engine.put(keys.at(i), values.at(i)));
  }),
  write('fillrandom, 64 in flight', 'the same by 64 writers', ALL, (entries) => {
    const keys = KeySequence.drawn(entries, entries);
    return (engine, values) => inFlight(entries, IN_FLIGHT, (i) => engine.put(keys.at(i), values.at(i)));
  }),
  write('fillbatch 1000', 'random keys in batches of 1000, each awaited', BOTH, (entries) => {
    const keys = KeySequence.drawn(entries, entries);
    return (engine, values) => putInBatches(engine, keys, values);
  }),
  write('fillsync, 64 in flight', 'durable puts by 64 writers, a tenth of the entries', ALL, (entries) => {
    const count = Math.ceil(entries / SYNC_SHARE);
    const keys = KeySequence.drawn(count, entries);
    return (engine, values) => inFlight(count, IN_FLIGHT, (i) => engine.putDurably(keys.at(i), values.at(i)));
  }),
  read('readrandom, sync call', 'getSync of random keys', BOTH, (entries) => {
    const keys = KeySequence.drawn(entries, entries);
    return (engine) => getAllSync(engine, keys, true);
  }),
  read('readrandom', 'get of random keys, each awaited', BOTH, (entries) => {
    const keys = KeySequence.drawn(entries, entries);
    return (engine) => inFlight(entries, 1, async (i) => mustExist(await engine.get(keys.at(i))));
  }),
  read('readrandom, 64 in flight', 'the same by 64 readers', ALL, (entries) => {
    const keys = KeySequence.drawn(entries, entries);
    return (engine) => inFlight(entries, IN_FLIGHT, async (i) => mustExist(await engine.get(keys.at(i))));
  }),
  read('readmissing, sync call', 'getSync of keys between those that exist', BOTH, (entries) => {
    const keys = KeySequence.missing(entries, entries);
    return (engine) => getAllSync(engine, keys, false);
  }),
  read('readseq', 'all entries in order, by for await', BOTH, (entries) => async (engine) => {
    return mustEqual(await engine.iterate(), entries);
  }),
  read('readseq, quickest call', "the same by kvd's cursor, by classic-level's nextv(1000)", BOTH, (entries) => {
    return async (engine) => mustEqual(await engine.walk(), entries);
  }),
];

/** Every key once, shuffled; then, as after any load in real life, at rest. */
export async function load(engine: BenchmarkedEngine, entries: number): Promise<void> {
  await putInBatches(engine, KeySequence.shuffled(entries), new ValueSequence());
  await engine.settle();
}

type WriteRun = (engine: BenchmarkedEngine, values: ValueSequence) => Promise<number>;
type ReadRun = (engine: BenchmarkedEngine) => Promise<number>;

function write(
  name: string,
  about: string,
  engines: readonly EngineName[],
  prepare: (entries: number) => WriteRun,
): Workload {
  const prepareAll = (entries: number) => {
    const values = new ValueSequence();
    const run = prepare(entries);
    return (engine: BenchmarkedEngine) => run(engine, values);
  };
  return { name, about, isLoaded: false, engines, prepare: prepareAll };
}

function read(
  name: string,
  about: string,
  engines: readonly EngineName[],
  prepare: (entries: number) => ReadRun,
): Workload {
  return { name, about, isLoaded: true, engines, prepare };
}

/** Runs `call` for 0 … count - 1, at most `limit` at a time; answers the count. */
async function inFlight(count: number, limit: number, call: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  let turning: Promise<void> | undefined;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      await call(index);
      // All wait for the turn: a single waiting worker would not let the loop go.
      if (index % CALLS_PER_TURN === 0) turning = turn().then(() => (turning = undefined));
      if (turning !== undefined) await turning;
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return count;
}

async function putInBatches(engine: BenchmarkedEngine, keys: KeySequence, values: ValueSequence): Promise<number> {
  for (let start = 0; start < keys.length; start += BATCH_ENTRIES) {
    const pairs: Pair[] = [];
    for (let i = start; i < Math.min(start + BATCH_ENTRIES, keys.length); i++) pairs.push([keys.at(i), values.at(i)]);
    await engine.putAll(pairs);
  }
  return keys.length;
}

async function getAllSync(engine: BenchmarkedEngine, keys: KeySequence, exist: boolean): Promise<number> {
  for (let i = 0; i < keys.length; i++) {
    const value = engine.getSync(keys.at(i));
    if ((value !== undefined) !== exist) throw new Error(`key ${keys.at(i)} was ${exist ? 'not found' : 'found'}`);
    if (i % CALLS_PER_TURN === 0) await turn();
  }
  return keys.length;
}

function mustExist(value: Buffer | undefined): void {
  if (value === undefined) throw new Error('a key that was written is missing');
}

function mustEqual(found: number, expected: number): number {
  if (found !== expected) throw new Error(`the walk gave ${found} entries instead of ${expected}`);
  return found;
}
