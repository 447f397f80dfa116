/**
 * Goal: the engine equals a sorted map, whatever is done to it, under any options; and after a crash it equals the map
 * after a prefix of the batches, which holds every batch that was acknowledged as that durable.
 *
 * Method: fast-check draws a list of commands; each is done to the engine and to a map, and what can be read is
 * compared. A crash, at once or in the middle of a later call, leaves several states possible: the one that is found
 * must be among them, and is the map from then on.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../src/engine.ts';
import type { EngineOptions } from '../src/options.ts';
import type { Snapshot } from '../src/snapshot.ts';
import { WriteBatch } from '../src/write-batch.ts';
import { Machine, turns } from './machine.ts';

const TINY = {
  level0CompactionTables: 2,
  level0TablesMax: 6,
  level1SizeBytes: 4096,
  levelSizeRatio: 2,
  tableSizeBytes: 1024,
};
const OPTION_SETS: readonly EngineOptions[] = [
  {},
  { ...TINY, memtableSizeBytes: 4096, blockSizeBytes: 64, blockCacheSizeBytes: 0, codec: 'none', openTablesMax: 2 },
  { ...TINY, memtableSizeBytes: 4096, sealedMemtablesMax: 1, bloomBitsPerKey: 0 },
  { ...TINY, memtableSizeBytes: 16384, blockCacheSizeBytes: 2000, level1SizeBytes: 1024 },
];

type Write = {
  readonly type: 'put' | 'delete' | 'merge';
  readonly key: string;
  readonly value: number;
  readonly length: number;
};
type Durability = 'memory' | 'os' | 'sync';
type CrashMode = 'drop-all' | 'keep-all' | 'random';
type Command =
  | {
      readonly type: 'commit';
      readonly writes: readonly Write[];
      readonly durability: Durability;
      readonly wait: boolean;
    }
  | { readonly type: 'fill'; readonly from: number; readonly count: number }
  | {
      readonly type: 'scan';
      readonly from: string;
      readonly to: string;
      readonly reverse: boolean;
      readonly limit: number;
    }
  | { readonly type: 'turns'; readonly count: number }
  | { readonly type: 'snapshot' | 'release' | 'flush' | 'settle' | 'check' }
  | { readonly type: 'reopen'; readonly options: number }
  | { readonly type: 'crash'; readonly options: number; readonly mode: CrashMode; readonly seed: number }
  | {
      readonly type: 'crashLater';
      readonly calls: number;
      readonly options: number;
      readonly mode: CrashMode;
      readonly seed: number;
    };

const key = fc.oneof(
  fc.constantFrom('m1', 'm2', 'a', 'a\0', 'b', 'zz'),
  fc.nat(30).map((n) => `k${n}`),
);
const write: fc.Arbitrary<Write> = fc
  .record({
    type: fc.constantFrom('put', 'put', 'delete', 'merge'),
    key,
    value: fc.nat(1e9),
    // With small memtables the last two are above a quarter of one, and above all of it.
    length: fc.constantFrom(4, 4, 4, 40, 40, 300, 300, 1500, 6000),
  })
  .map(
    ({ type, ...rest }) =>
      (rest.key.startsWith('m')
        ? { type, ...rest, length: 4 }
        : { type: type === 'merge' ? 'put' : type, ...rest }) as Write,
  );
const options = fc.nat(OPTION_SETS.length - 1);
const mode = fc.constantFrom<CrashMode>('drop-all', 'keep-all', 'random', 'random');
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        type: fc.constant('commit' as const),
        writes: fc.array(write, { minLength: 1, maxLength: 6 }),
        durability: fc.constantFrom<Durability>('memory', 'os', 'sync'),
        wait: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('fill' as const), from: fc.nat(20), count: fc.nat(40) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('scan' as const),
        from: key,
        to: key,
        reverse: fc.boolean(),
        limit: fc.integer({ min: -1, max: 5 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('turns' as const), count: fc.nat(6) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constantFrom(
          'snapshot' as const,
          'release' as const,
          'flush' as const,
          'settle' as const,
          'check' as const,
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const), options }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('crash' as const), options, mode, seed: fc.nat() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('crashLater' as const),
        calls: fc.nat(60),
        options,
        mode,
        seed: fc.nat(),
      }),
    },
  ),
  { maxLength: 60 },
);

type State = ReadonlyMap<string, string>;

function bytesOf({ value, length }: Write): Buffer {
  const bytes = Buffer.alloc(length, 'half compressible ');
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function applied(state: State, writes: readonly Write[]): State {
  const next = new Map(state);
  for (const one of writes) {
    if (one.type === 'delete') next.delete(one.key);
    else if (one.type === 'put') next.set(one.key, bytesOf(one).toString('latin1'));
    else {
      const before = Buffer.from(next.get(one.key) ?? '\0\0\0\0', 'latin1').readUInt32LE(0);
      next.set(one.key, bytesOf({ ...one, value: (before + one.value) >>> 0 }).toString('latin1'));
    }
  }
  return next;
}

function sorted(state: State): [string, string][] {
  return [...state].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function scanned(
  engine: Engine,
  range: { gte?: Buffer; lt?: Buffer; reverse?: boolean; limit?: number; snapshot?: Snapshot } = {},
): [string, string][] {
  using cursor = engine.cursor(range);
  const found: [string, string][] = [];
  while (cursor.next()) found.push([cursor.key.toString(), cursor.value.toString('latin1')]);
  return found;
}

class Run {
  readonly #machine: Machine;
  #engine!: Engine;
  /** States that the batches made, from the one that is certainly on disk on. */
  #states: State[] = [new Map()];
  /** Index of the newest state that was acknowledged as `os`, as `sync`. */
  #atLeast = { os: 0, sync: 0 };
  #snapshots: { readonly snapshot: Snapshot; readonly state: State }[] = [];
  #pendingCrash: { readonly options: number; readonly mode: CrashMode } | undefined;
  #lastSequence = 0;

  constructor(seed: number) {
    this.#machine = new Machine(seed);
  }

  async run(list: readonly Command[], first: number): Promise<void> {
    await this.#open(first);
    for (const command of list) {
      try {
        await this.#do(command);
      } catch (error) {
        if (!this.#machine.processIsDead) throw error;
      }
      if (this.#machine.processIsDead) await this.#recover();
      this.#checkBackground();
    }
    this.#pendingCrash = undefined;
    this.#machine.disk.onCall = undefined;
    await this.#reopen(0);
    this.#check();
    for (const { snapshot } of this.#snapshots) snapshot.release();
    await this.#engine.settled();
    expect(this.#engine.stats()).toMatchObject({ versionsHeld: 1, openCursors: 0, openSnapshots: 0 });
    await this.#engine.close();
    expect(this.#machine.disk.openFiles).toBe(0);
  }

  get #state(): State {
    return this.#states.at(-1) as State;
  }

  async #do(command: Command): Promise<void> {
    switch (command.type) {
      case 'commit':
        return this.#commit(command.writes, command.durability, command.wait);
      case 'fill':
        for (let i = 0; i < command.count; i++) {
          await this.#commit([{ type: 'put', key: `k${command.from + i}`, value: i, length: 300 }], 'os', i % 7 === 0);
        }
        return;
      case 'scan':
        return this.#scan(command);
      case 'turns':
        return turns(command.count);
      case 'snapshot':
        this.#snapshots.push({ snapshot: this.#engine.snapshot(), state: this.#state });
        return;
      case 'release':
        this.#snapshots.shift()?.snapshot.release();
        return;
      case 'flush':
        return this.#orDead(this.#engine.flush());
      case 'settle':
        return this.#orDead(this.#engine.settled());
      case 'check':
        return this.#check();
      case 'reopen':
        return this.#reopen(command.options);
      case 'crash':
        this.#pendingCrash = command;
        this.#machine.crash(command.mode, command.seed);
        return;
      case 'crashLater':
        this.#pendingCrash = command;
        this.#machine.crashAtCall(command.calls, command.mode, command.seed);
    }
  }

  async #commit(writes: readonly Write[], durability: Durability, wait: boolean): Promise<void> {
    const batch = new WriteBatch();
    for (const one of writes) {
      if (one.type === 'put') batch.put(Buffer.from(one.key), bytesOf(one));
      else if (one.type === 'merge') batch.merge(Buffer.from(one.key), bytesOf(one));
      else batch.delete(Buffer.from(one.key));
    }
    const states = this.#states;
    const atLeast = this.#atLeast;
    states.push(applied(this.#state, writes));
    const index = states.length - 1;
    let isBusy = false;
    const answered = new Promise<void>((resolve) => {
      this.#engine.commit(batch, durability, (error) => {
        if ((error as { code?: string } | undefined)?.code === 'LSM_BUSY') isBusy = true;
        else if (!this.#machine.processIsDead) expect(error).toBeUndefined();
        if (error === undefined && !this.#machine.processIsDead) {
          if (durability !== 'memory') atLeast.os = Math.max(atLeast.os, index);
          if (durability === 'sync') atLeast.sync = Math.max(atLeast.sync, index);
        }
        resolve();
      });
    });
    if (isBusy) states.pop();
    else if (!this.#machine.processIsDead)
      expect(this.#engine.getSync(Buffer.from(writes[0]?.key as string))?.toString('latin1')).toBe(
        this.#state.get(writes[0]?.key as string),
      );
    if (wait) await this.#orDead(answered);
  }

  /** What a dead process waits for never comes. */
  async #orDead(work: Promise<void>): Promise<void> {
    let isDone = false;
    const settled = work.finally(() => {
      isDone = true;
    });
    settled.catch(() => undefined);
    while (!isDone && !this.#machine.processIsDead) await turns(1);
    if (isDone) await settled;
  }

  #scan({ from, to, reverse, limit }: { from: string; to: string; reverse: boolean; limit: number }): void {
    const [low, high] = Buffer.compare(Buffer.from(from), Buffer.from(to)) <= 0 ? [from, to] : [to, from];
    const within = ([name]: [string, string]) =>
      Buffer.compare(Buffer.from(name), Buffer.from(low)) >= 0 &&
      Buffer.compare(Buffer.from(name), Buffer.from(high)) < 0;
    const expected = sorted(this.#state).filter(within);
    if (reverse) expected.reverse();
    const range = { gte: Buffer.from(low), lt: Buffer.from(high), reverse, limit };
    expect(scanned(this.#engine, range)).toEqual(limit === -1 ? expected : expected.slice(0, limit));
  }

  #check(): void {
    expect(scanned(this.#engine)).toEqual(sorted(this.#state));
    expect(scanned(this.#engine, { reverse: true })).toEqual(sorted(this.#state).reverse());
    for (const name of ['m1', 'm2', 'a', 'a\0', 'b', 'zz', 'k0', 'k7', 'k30', 'none']) {
      expect(this.#engine.getSync(Buffer.from(name))?.toString('latin1')).toBe(this.#state.get(name));
    }
    for (const { snapshot, state } of this.#snapshots) {
      expect(scanned(this.#engine, { snapshot })).toEqual(sorted(state));
      expect(this.#engine.getSync(Buffer.from('m1'), { snapshot })?.toString('latin1')).toBe(state.get('m1'));
    }
  }

  /** Nothing is wrong with the disk of a process that lives: no job fails, save for want of file numbers. */
  #checkBackground(): void {
    if (this.#machine.processIsDead) return;
    expect(this.#engine.stats().background.failures).toBe(this.#machine.jobsShortOfOutputs);
  }

  async #reopen(set: number): Promise<void> {
    for (const { snapshot } of this.#snapshots) snapshot.release();
    this.#snapshots = [];
    await this.#orDead(this.#engine.close());
    if (this.#machine.processIsDead) return;
    this.#checkBackground();
    const before = this.#state;
    await this.#open(set);
    if (this.#machine.processIsDead) return;
    expect(this.#engine.recovery).toMatchObject({ cleanShutdown: true, tailDoubt: false });
    expect(scanned(this.#engine)).toEqual(sorted(before));
    this.#states = [before];
    this.#atLeast = { os: 0, sync: 0 };
  }

  async #open(set: number): Promise<void> {
    let opened: Engine | undefined;
    await this.#orDead(
      this.#machine.open({ ...OPTION_SETS[set], mergeOperatorName: 'uint32-add' }).then((engine) => {
        opened = engine;
      }),
    );
    if (opened === undefined || this.#machine.processIsDead) return;
    this.#engine = opened;
    const { lastSequence } = opened.stats();
    expect(lastSequence).toBeGreaterThanOrEqual(this.#lastSequence);
  }

  async #recover(): Promise<void> {
    const { mode: how, options: set } = this.#pendingCrash as { mode: CrashMode; options: number };
    this.#pendingCrash = undefined;
    this.#snapshots = [];
    this.#lastSequence = Math.max(this.#lastSequence, this.#engine.stats().lastSequence);
    await this.#open(set);
    const found = scanned(this.#engine);
    const oldest = how === 'keep-all' ? this.#atLeast.os : this.#atLeast.sync;
    const possible = this.#states.slice(oldest);
    const at = possible.findLastIndex((state) => JSON.stringify(sorted(state)) === JSON.stringify(found));
    if (at === -1)
      expect(found, `none of ${possible.length} states after a crash (${how})`).toEqual(possible.map(sorted).at(-1));
    this.#states = [possible[at] as State];
    this.#atLeast = { os: 0, sync: 0 };
    this.#check();
  }
}

describe('the engine', () => {
  it('equals a sorted map, and a prefix of it after a crash', async () => {
    await fc.assert(
      fc.asyncProperty(commands, fc.nat(), options, async (list, seed, first) => {
        await new Run(seed).run(list, first);
      }),
      { numRuns: Number(process.env['KVD_MODEL_RUNS'] ?? 120) },
    );
  }, 120_000);
});
