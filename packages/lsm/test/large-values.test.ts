/**
 * Goal: a value that is larger than what is left of a memtable, than a quarter of it or than all of it is written like
 * any other. A memtable that holds nothing is never sealed: its flush would make no table, be refused and tried for ever.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.ts';
import type { EngineOptions } from '../src/options.ts';
import { FileRemover } from '../src/file-remover.ts';
import { parseFileName } from '../src/file-names.ts';
import { MemoryFileSystem } from '../src/file-system/memory-file-system.ts';
import { Health } from '../src/health.ts';
import { ManualTimers } from '../src/manual-timers.ts';
import { SeededRandom } from '../src/seeded-random.ts';
import { InlineRunner } from '../src/task-runner/inline-runner.ts';
import { LogQueue } from '../src/wal/log-queue.ts';
import { WriteBatch } from '../src/write-batch.ts';
import { WriteStall } from '../src/write-stall.ts';

const MIB = 1024 * 1024;
const bytes = (text: string) => Buffer.from(text);

/** A process on a memory disk whose time the test moves: what is not settled after `TURNS_MAX` turns never will be. */
class Bench {
  static readonly TURNS_MAX = 3000;
  readonly timers = new ManualTimers();
  readonly disk = new MemoryFileSystem({ deferAsync: (completion) => this.timers.defer(completion) });
  readonly told: { readonly message: string; readonly level: string; readonly cause: unknown }[] = [];
  readonly tasks = new InlineRunner({ fileSystem: this.disk, timers: this.timers });

  open(options: EngineOptions = {}): Promise<Engine> {
    return this.settle(
      Engine.open('/db', options, {
        fileSystem: this.disk,
        timers: this.timers,
        random: new SeededRandom(7),
        tasks: this.tasks,
        log: (message, level, cause) => this.told.push({ message, level, cause }),
      }),
    );
  }

  async settle<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const end = () => {
      isSettled = true;
    };
    work.then(end, end);
    for (let turn = 0; turn < Bench.TURNS_MAX && !isSettled; turn++) {
      this.timers.drain();
      this.timers.advance(10);
      for (let i = 0; i < 10; i++) await Promise.resolve();
    }
    if (!isSettled) throw new Error('never settles');
    return work;
  }
}

describe('a value larger than the memtable', () => {
  it('twice in a row into an engine that holds nothing is acknowledged, and leaves nothing to retry', async () => {
    const bench = new Bench();
    const engine = await bench.open();
    await bench.settle(engine.put(bytes('a'), Buffer.alloc(5_000_000, 'a')));
    await bench.settle(engine.put(bytes('b'), Buffer.alloc(5_000_000, 'b')));
    await bench.settle(engine.flush());
    await bench.settle(engine.settled());
    expect(engine.stats()).toMatchObject({ sealedMemtables: 0, degraded: undefined, background: { failures: 0 } });
    expect(engine.stats().background.flushes).toBe(2);
    await bench.settle(engine.close());
    const again = await bench.open();
    expect(again.getSync(bytes('a'))).toEqual(Buffer.alloc(5_000_000, 'a'));
    expect(again.getSync(bytes('b'))).toEqual(Buffer.alloc(5_000_000, 'b'));
    await bench.settle(again.close());
  });

  it('goes into the log of the empty memtable, with no log for nothing', async () => {
    const bench = new Bench();
    const engine = await bench.open({ memtableSizeBytes: 4096 });
    const logs = () => bench.disk.readdir('/db').filter((name) => name.endsWith('.log'));
    const [first] = logs();
    engine.commit(new WriteBatch().put(bytes('a'), Buffer.alloc(6000, 'a')), 'os', () => {});
    expect(logs()).toHaveLength(2);
    expect(bench.disk.size(`/db/${first}`)).toBeGreaterThan(6000);
    await bench.settle(engine.close());
  });

  it.each([1, 2, 8])(
    'is taken again and again with %d sealed memtables at most, pipelined',
    async (sealedMemtablesMax) => {
      const bench = new Bench();
      const engine = await bench.open({ memtableSizeBytes: 4096, sealedMemtablesMax });
      const lengths = [6000, 10, 6000, 6000, 1500, 3900, 20_000, 1500, 10, 10, 4000, 9000];
      const writes = Array.from({ length: 60 }, (_, i) =>
        engine.put(bytes(`k${i}`), Buffer.alloc(lengths[i % lengths.length] as number, `${i}`)),
      );
      await bench.settle(Promise.all(writes));
      await bench.settle(engine.flush());
      expect(engine.stats()).toMatchObject({ sealedMemtables: 0, waitingWrites: 0, background: { failures: 0 } });
      for (let i = 0; i < 60; i++) {
        expect(engine.getSync(bytes(`k${i}`))).toEqual(Buffer.alloc(lengths[i % lengths.length] as number, `${i}`));
      }
      await bench.settle(engine.close());
    },
  );

  it('is not seen by a cursor that was open before, whose empty memtable was replaced', async () => {
    const bench = new Bench();
    const engine = await bench.open({ memtableSizeBytes: 4096 });
    const cursor = engine.cursor();
    await bench.settle(engine.put(bytes('a'), Buffer.alloc(6000, 'a')));
    expect(cursor.next()).toBe(false);
    cursor.close();
    await bench.settle(engine.flush());
    expect(engine.stats()).toMatchObject({ versionsHeld: 1, openCursors: 0 });
    await bench.settle(engine.close());
  });
});

describe('a directory whose logs hold nothing', () => {
  it('because empty memtables were sealed is recovered with all that the other logs hold', async () => {
    const bench = new Bench();
    await bench.open(); // and dies without a word
    bench.disk.crash({ mode: 'keep-all', random: () => 0 });
    const numbers = bench.disk.readdir('/db').flatMap((name) => {
      const parsed = parseFileName(name);
      return parsed.type === 'log' ? [parsed.number] : [];
    });
    const first = numbers.at(-1) as number;
    bench.disk.unlink(`/db/${bench.disk.readdir('/db').find((name) => name.endsWith('.log'))}`);
    const queue = sealedForNothing(bench, first);
    await bench.settle(new Promise<void>((resolve) => queue.wait('sync', () => resolve())));
    bench.disk.crash({ mode: 'keep-all', random: () => 0 });
    const engine = await bench.open();
    expect(engine.recovery).toMatchObject({ logsRead: 6, recordsReplayed: 2 });
    expect(engine.getSync(bytes('k1'))).toEqual(Buffer.alloc(5_000_000, '1'));
    expect(engine.getSync(bytes('k2'))).toEqual(Buffer.alloc(5_000_000, '2'));
    await bench.settle(engine.close());
    await bench.settle((await bench.open()).close());
  });

  /** Logs as they were when each large batch sealed an empty memtable before it and its own behind it. */
  function sealedForNothing({ disk, timers }: Bench, first: number): LogQueue {
    const remover = new FileRemover(disk, '/db', undefined);
    const parts = { fileSystem: disk, directory: '/db', timers, remover, health: new Health() };
    const queue = new LogQueue({ ...parts, stall: new WriteStall(timers) }, first);
    queue.rotate(first + 1);
    queue.append(new WriteBatch().put(bytes('k1'), Buffer.alloc(5_000_000, '1')).payload(), 1, 1);
    queue.rotate(first + 2);
    queue.rotate(first + 3);
    queue.append(new WriteBatch().put(bytes('k2'), Buffer.alloc(5_000_000, '2')).payload(), 2, 1);
    queue.rotate(first + 4);
    queue.rotate(first + 5);
    return queue;
  }
});

describe('background work that keeps failing', () => {
  it('is told once as an error, with its cause, and again only after it had gone well', async () => {
    const bench = new Bench();
    const engine = await bench.open();
    const full = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    const errors = () => bench.told.filter(({ level }) => level === 'error');
    for (const times of [1, 2]) {
      bench.disk.onCall = ({ operation, path }) => (operation === 'open' && path.endsWith('.sst') ? full : undefined);
      await bench.settle(engine.put(bytes('a'), bytes('1')));
      await expect(bench.settle(engine.flush())).rejects.toThrow('3 times in a row');
      bench.timers.advance(60_000);
      expect(engine.stats().background.failures).toBeGreaterThan(3 * times);
      expect(errors()).toHaveLength(times);
      expect(errors().at(-1)?.message).toContain('the disk is full');
      bench.disk.onCall = undefined;
      bench.timers.advance(60_000);
      await bench.settle(engine.settled());
      expect(engine.stats().degraded).toBeUndefined();
    }
    expect(errors()[0]?.cause).toBeInstanceOf(Error);
    await bench.settle(engine.close());
  });
});

describe('values of 1 to 8 MiB on the real disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kvd-large-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('in any order, some pipelined, are all acknowledged, read back, and read back after an open', async () => {
    const random = new SeededRandom(11);
    const sizes = Array.from({ length: 40 }, (_, i) => [1, 3, 4, 5, 8][i % 5] as number);
    const order = sizes.map((size) => ({ size, at: random.uint32() })).sort((a, b) => a.at - b.at);
    const written = (i: number) => Buffer.alloc((order[i]?.size as number) * MIB, `value ${i} `);
    const check = (engine: Engine) => {
      for (let i = 0; i < 40; i++) expect(engine.getSync(bytes(`k${i}`))?.equals(written(i)), `k${i}`).toBe(true);
    };
    const engine = await Engine.open(join(directory, 'db'));
    let pipelined: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) {
      pipelined.push(engine.put(bytes(`k${i}`), written(i)));
      if (random.uint32() % 3 === 0) continue;
      await Promise.all(pipelined);
      pipelined = [];
    }
    await Promise.all(pipelined);
    check(engine);
    await engine.flush();
    expect(engine.stats()).toMatchObject({ degraded: undefined, waitingWrites: 0, background: { failures: 0 } });
    await engine.close();
    const again = await Engine.open(join(directory, 'db'));
    check(again);
    await again.close();
  }, 30_000);
});
