import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { crc32 } from '../src/checksum.ts';
import { Engine } from '../src/engine.ts';
import { blockChecksum, decodeFooter, FOOTER_BYTES, saltChecksum } from '../src/sstable/format.ts';
import { WriteBatch } from '../src/write-batch.ts';
import { Machine, turns } from './machine.ts';
import { flipBit, readFile, writeFile } from './memory-disk.ts';

const bytes = (text: string) => Buffer.from(text);
const refused = (code: string, details: object = {}) => expect.objectContaining({ code, ...details });

/** Codec byte of the block at offset 0, whose end is where its checksum is right. */
function firstCodecByte(table: Buffer): number | undefined {
  const { salt } = decodeFooter(table.subarray(table.length - FOOTER_BYTES), 'table');
  const seed = saltChecksum(salt);
  for (let end = 1; end + 5 <= table.length; end++) {
    if (blockChecksum(seed, 0, table.subarray(0, end + 1)) === table.readUInt32LE(end + 1)) return table[end];
  }
  return undefined;
}

async function filled(machine: Machine, options = {}, count = 50): Promise<Engine> {
  const engine = await machine.open(options);
  for (let i = 0; i < count; i++) await engine.put(bytes(`key${i}`), bytes(`value${i}`));
  return engine;
}

function onlyFile(machine: Machine, ending: RegExp): string {
  const name = machine.disk.readdir('/db').find((file) => ending.test(file));
  return `/db/${name}`;
}

describe('an engine', () => {
  it('answers promises, callbacks and synchronous calls alike', async () => {
    const engine = await filled(new Machine());
    expect((await engine.get(bytes('key7')))?.toString()).toBe('value7');
    expect(engine.getSync(bytes('key7'))?.toString()).toBe('value7');
    engine.lookup(bytes('key7'), (error, value) => expect([error, value?.toString()]).toEqual([undefined, 'value7']));
    await engine.delete(bytes('key7'));
    expect(await engine.get(bytes('key7'))).toBeUndefined();
    await engine.close();
  });

  it('shows a write before its promise is fulfilled, and all of a batch or nothing', async () => {
    const engine = await new Machine().open();
    const written = engine.write(
      new WriteBatch().put(bytes('a'), bytes('1')).put(bytes('b'), bytes('2')).delete(bytes('a')),
    );
    expect(engine.getSync(bytes('a'))).toBeUndefined();
    expect(engine.getSync(bytes('b'))?.toString()).toBe('2');
    await written;
    await engine.close();
  });

  it('iterates in order, both ways, within bounds and limit', async () => {
    const engine = await new Machine().open();
    for (const name of ['b', 'a', 'd', 'c']) await engine.put(bytes(name), bytes(name.toUpperCase()));
    const list = async (options: Parameters<Engine['iterate']>[0]) => {
      const found: string[] = [];
      for await (const [key, value] of engine.iterate(options)) found.push(`${key}${value}`);
      return found;
    };
    expect(await list({})).toEqual(['aA', 'bB', 'cC', 'dD']);
    expect(await list({ reverse: true, limit: 2 })).toEqual(['dD', 'cC']);
    expect(await list({ gt: bytes('a'), lte: bytes('c'), values: false })).toEqual(['b', 'c']);
    expect(await list({ gte: bytes('b'), lt: bytes('d'), keys: false, reverse: true })).toEqual(['C', 'B']);
    for await (const [key] of engine.iterate()) if (key.toString() === 'b') break;
    expect(engine.stats().openCursors).toBe(0);
    await engine.close();
  });

  it('moves a cursor by seek, and shows one state', async () => {
    const engine = await filled(new Machine());
    using cursor = engine.cursor();
    await engine.put(bytes('key30'), bytes('later'));
    cursor.seek(bytes('key3'));
    expect(cursor.next() && cursor.key.toString()).toBe('key3');
    expect(cursor.next() && cursor.value.toString()).toBe('value30');
    cursor.seek(bytes('zzz'));
    expect(cursor.next()).toBe(false);
    cursor.seek(bytes('key9'));
    expect(cursor.next() && cursor.key.toString()).toBe('key9');
    cursor.close();
    expect(() => cursor.next()).toThrow(refused('LSM_CLOSED'));
    await engine.close();
  });

  it('keeps what a snapshot shows through flush and compaction', async () => {
    const engine = await new Machine().open({ level0CompactionTables: 1, level0TablesMax: 3 });
    await engine.put(bytes('a'), bytes('1'));
    await engine.put(bytes('b'), bytes('1'));
    using snapshot = engine.snapshot();
    await engine.put(bytes('a'), bytes('2'));
    await engine.delete(bytes('b'));
    await engine.flush();
    await engine.settled();
    expect(engine.stats().levels[0]?.tables).toBe(0);
    expect(['a', 'b'].map((name) => engine.getSync(bytes(name), { snapshot })?.toString())).toEqual(['1', '1']);
    expect(['a', 'b'].map((name) => engine.getSync(bytes(name))?.toString())).toEqual(['2', undefined]);
    await engine.put(bytes('c'), bytes('3'));
    await engine.flush();
    await engine.settled();
    expect(engine.getSync(bytes('b'), { snapshot })?.toString()).toBe('1');
    await engine.close();
  });

  it('gives bytes that are the caller’s own', async () => {
    const engine = await filled(new Machine());
    await engine.flush();
    engine.getSync(bytes('key1'))?.fill(0);
    expect(engine.getSync(bytes('key1'))?.toString()).toBe('value1');
    await engine.close();
  });

  it('refuses wrong use at the door', async () => {
    const engine = await new Machine().open();
    expect(() => engine.getSync(Buffer.alloc(0))).toThrow(RangeError);
    expect(() => engine.put('k' as unknown as Buffer, bytes('v'))).toThrow(TypeError);
    expect(() => engine.put(bytes('k'), 'v' as unknown as Buffer)).toThrow(TypeError);
    expect(() => engine.merge(bytes('k'), bytes('vvvv'))).toThrow(refused('LSM_OPTIONS'));
    expect(() => engine.put(bytes('k'), bytes('v'), { durability: 'never' as 'sync' })).toThrow(refused('LSM_OPTIONS'));
    expect(() => engine.cursor({ limit: -2 })).toThrow(RangeError);
    expect(() => engine.cursor({ gt: 'a' as unknown as Buffer })).toThrow(TypeError);
    await engine.close();
    expect(() => engine.getSync(bytes('k'))).toThrow(refused('LSM_CLOSED'));
    await expect(engine.put(bytes('k'), bytes('v'))).rejects.toThrow(refused('LSM_CLOSED'));
    await expect(engine.flush()).rejects.toThrow(refused('LSM_CLOSED'));
    await engine.close();
  });

  it('gives a batch above a quarter of the memtable a table of its own', async () => {
    const engine = await new Machine().open({ memtableSizeBytes: 16384, level0CompactionTables: 8 });
    await engine.put(bytes('small'), bytes('1'));
    await engine.put(bytes('large'), Buffer.alloc(100_000, 'x'));
    await engine.put(bytes('small'), bytes('2'));
    await engine.settled();
    expect(engine.stats().levels[0]?.tables).toBe(2);
    expect(engine.getSync(bytes('large'))?.length).toBe(100_000);
    expect(engine.getSync(bytes('small'))?.toString()).toBe('2');
    await engine.close();
  });

  it('refuses a commit when too many memtables wait, and lets promise calls wait for room, in order', async () => {
    const engine = await new Machine().open({ memtableSizeBytes: 4096, sealedMemtablesMax: 1 });
    const answers: (string | undefined)[] = [];
    for (let i = 0; i < 10; i++) {
      engine.commit(new WriteBatch().put(bytes('k'), Buffer.alloc(900, `${i}`)), 'os', (error) =>
        answers.push((error as { code?: string })?.code),
      );
    }
    expect(answers).toContain('LSM_BUSY');
    await Promise.all(Array.from({ length: 100 }, (_, i) => engine.put(bytes('k'), Buffer.alloc(900, `${i % 10}`))));
    expect(engine.getSync(bytes('k'))?.[0]).toBe(bytes('9')[0]);
    expect(engine.stats().waitingWrites).toBe(0);
    await engine.close();
  });

  it('reads no block for a key that is not there', async () => {
    const engine = await filled(new Machine(), { blockCacheSizeBytes: 0 }, 200);
    await engine.flush();
    const before = engine.stats().reads.blocksRead;
    for (let i = 0; i < 200; i++) expect(engine.getSync(bytes(`key${i}x`))).toBeUndefined();
    const { blocksRead, filterNegatives } = engine.stats().reads;
    expect(filterNegatives).toBeGreaterThan(190);
    expect(blocksRead - before).toBeLessThanOrEqual(6);
    await engine.close();
  });

  it('compacts, and removes the tables that nobody reads any more', async () => {
    const machine = new Machine();
    const engine = await machine.open({
      memtableSizeBytes: 4096,
      level0CompactionTables: 2,
      level1SizeBytes: 8192,
      tableSizeBytes: 2048,
    });
    for (let i = 0; i < 600; i++) await engine.put(bytes(`key${i % 150}`), Buffer.alloc(60, `${i}`));
    const cursor = engine.cursor();
    await engine.flush();
    await engine.settled();
    expect(engine.stats().background.compactions).toBeGreaterThan(0);
    cursor.close();
    const live = engine.stats().levels.reduce((sum, level) => sum + level.tables, 0);
    expect(machine.disk.readdir('/db').filter((name) => name.endsWith('.sst'))).toHaveLength(live);
    expect(engine.stats().versionsHeld).toBe(1);
    await engine.close();
  });
});

describe('a failing disk', () => {
  it('whose sync fails makes the engine fail: writes are refused, reads go on, the next open is in doubt', async () => {
    const machine = new Machine();
    const engine = await filled(machine);
    const failures: string[] = [];
    engine.onFailure((error) => failures.push(error.code));
    machine.disk.failNextSync('.log', { dropPages: true });
    await expect(engine.put(bytes('a'), bytes('1'), { durability: 'sync' })).rejects.toThrow(
      refused('LSM_DURABILITY_LOST'),
    );
    expect(engine.state).toBe('failed');
    await expect(engine.put(bytes('b'), bytes('1'))).rejects.toThrow(refused('LSM_DURABILITY_LOST'));
    await expect(engine.flush()).rejects.toThrow(refused('LSM_DURABILITY_LOST'));
    expect(engine.getSync(bytes('key1'))?.toString()).toBe('value1');
    expect(failures).toEqual(['LSM_DURABILITY_LOST']);
    await engine.close();
    const again = await machine.open();
    expect(again.recovery).toMatchObject({ cleanShutdown: false, tailDoubt: true });
    await again.close();
  });

  it('that loses power after a failed sync keeps what the next open served', async () => {
    const machine = new Machine();
    const engine = await machine.open();
    await engine.put(bytes('a'), bytes('1'));
    machine.disk.failNextSync('.log', { dropPages: false });
    await expect(engine.put(bytes('b'), bytes('2'), { durability: 'sync' })).rejects.toThrow();
    await engine.close();
    const second = await machine.open();
    expect(second.getSync(bytes('a'))?.toString()).toBe('1');
    machine.crash('drop-all');
    const third = await machine.open();
    expect(third.getSync(bytes('a'))?.toString()).toBe('1');
    await third.close();
  });

  it('that cannot write tables degrades the engine, which goes on when it can', async () => {
    const machine = new Machine();
    const engine = await filled(machine);
    machine.disk.onCall = ({ operation, path }) =>
      operation === 'open' && path.endsWith('.sst') ? Object.assign(new Error('full'), { code: 'ENOSPC' }) : undefined;
    await expect(engine.flush()).rejects.toThrow(refused('LSM_COMPACTION'));
    expect(engine.stats().degraded).toContain('3 times');
    await engine.put(bytes('still'), bytes('taken'));
    machine.disk.onCall = undefined;
    while (engine.stats().sealedMemtables > 0) await turns(1);
    expect(engine.stats().degraded).toBeUndefined();
    await engine.close();
    expect((await machine.open()).getSync(bytes('still'))?.toString()).toBe('taken');
  });
});

describe('opening', () => {
  it('a directory that is open is refused', async () => {
    const machine = new Machine();
    const engine = await machine.open();
    await expect(machine.open()).rejects.toThrow(refused('LSM_LOCKED'));
    await engine.close();
    await (await machine.open()).close();
  });

  it('reports how the engine before ended', async () => {
    const machine = new Machine();
    const first = await filled(machine);
    expect(first.recovery).toMatchObject({ isNew: true, cleanShutdown: false, tailDoubt: false });
    await first.close();
    const second = await machine.open();
    expect(second.recovery).toMatchObject({ isNew: false, cleanShutdown: true, tailDoubt: false, recordsReplayed: 50 });
    machine.crash('keep-all');
    const third = await machine.open();
    expect(third.recovery).toMatchObject({ cleanShutdown: false, tailDoubt: true, tablesChecked: 1 });
    expect(third.stats().lastSequence).toBeGreaterThan(2 ** 30);
    await third.close();
  });

  it('cuts a torn tail, and refuses rot in what was acknowledged', async () => {
    const machine = new Machine();
    const engine = await machine.open();
    await engine.put(bytes('a'), bytes('1'), { durability: 'sync' });
    await engine.put(bytes('b'), bytes('2'), { durability: 'sync' });
    await engine.put(bytes('c'), bytes('3'), { durability: 'sync' });
    machine.crash('drop-all');
    const log = onlyFile(machine, /\.log$/);
    const whole = readFile(machine.disk, log);
    writeFile(machine.disk, log, flipBit(whole, 110 * 8));
    await expect(machine.open()).rejects.toThrow(refused('LSM_CORRUPTION', { kind: 'wal-middle' }));
    expect(readFile(machine.disk, log)).toEqual(flipBit(whole, 110 * 8));
    writeFile(machine.disk, log, whole.subarray(0, whole.length - 3));
    const again = await machine.open();
    expect(again.recovery).toMatchObject({ recordsReplayed: 2, tailDoubt: true });
    expect(again.recovery.bytesTruncated).toBeGreaterThan(0);
    await again.close();
  });

  it.each([
    ['CURRENT that is damaged', /^CURRENT$/, (whole: Buffer) => flipBit(whole, 70), 'LSM_CORRUPTION', 'manifest'],
    ['MANIFEST that is damaged', /^MANIFEST/, (whole: Buffer) => flipBit(whole, 400), 'LSM_CORRUPTION', 'manifest'],
    ['table that is cut off', /sst$/, (whole: Buffer) => whole.subarray(1), 'LSM_CORRUPTION', 'missing'],
  ])('refuses a %s', async (_, name, damage, code, kind) => {
    const machine = new Machine();
    const engine = await filled(machine);
    await engine.flush();
    await engine.close();
    const path = onlyFile(machine, name);
    writeFile(machine.disk, path, damage(readFile(machine.disk, path)));
    await expect(machine.open()).rejects.toThrow(refused(code, { kind }));
    expect(machine.disk.openFiles).toBe(0);
  });

  it.each([
    ['CURRENT', /^CURRENT$/, 'manifest'],
    ['MANIFEST', /^MANIFEST/, 'missing'],
    ['table', /sst$/, 'missing'],
    ['log', /log$/, 'missing'],
  ])('refuses a directory without its %s', async (_, name, kind) => {
    const machine = new Machine();
    const engine = await filled(machine);
    await engine.flush();
    await engine.close();
    machine.disk.unlink(onlyFile(machine, name));
    await expect(machine.open()).rejects.toThrow(refused('LSM_CORRUPTION', { kind }));
  });

  it('refuses a newer format and leaves it alone', async () => {
    const machine = new Machine();
    await (await filled(machine)).close();
    const path = onlyFile(machine, /^MANIFEST/);
    const newer = readFile(machine.disk, path);
    newer.writeUInt32LE(2, 8);
    newer.writeUInt32LE(crc32(newer.subarray(0, 32)), 32);
    writeFile(machine.disk, path, newer);
    const names = machine.disk.readdir('/db');
    await expect(machine.open()).rejects.toThrow(refused('LSM_INCOMPATIBLE_FORMAT'));
    expect(machine.disk.readdir('/db').filter((file) => file !== 'LOCK')).toEqual(
      names.filter((file) => file !== 'LOCK'),
    );
  });

  it('puts orphan tables into the trash, and never uses their numbers again', async () => {
    const machine = new Machine();
    await (await filled(machine)).close();
    writeFile(machine.disk, '/db/000900.sst', bytes('orphan'));
    const engine = await machine.open();
    expect(machine.disk.readdir('/db/trash')).toEqual(['000900.sst']);
    await engine.flush();
    expect(machine.disk.readdir('/db').some((name) => /^0009\d\d\.log$/.test(name))).toBe(true);
    await engine.close();
    await (await machine.open()).close();
    expect(machine.disk.readdir('/db/trash')).toEqual([]);
  });

  it('wants the merge operator that is recorded', async () => {
    const machine = new Machine();
    const engine = await machine.open({ mergeOperatorName: 'uint32-add' });
    await engine.merge(bytes('n'), Buffer.from([5, 0, 0, 0]));
    await engine.close();
    await expect(machine.open()).rejects.toThrow(refused('LSM_OPTIONS'));
    const again = await machine.open({ mergeOperatorName: 'uint32-add' });
    await again.merge(bytes('n'), Buffer.from([2, 0, 0, 0]));
    expect(again.getSync(bytes('n'))).toEqual(Buffer.from([7, 0, 0, 0]));
    await again.close();
  });

  it('fails before a MANIFEST append when another opener took the directory', async () => {
    const machine = new Machine();
    const engine = await filled(machine);
    const lock = onlyFile(machine, /LOCK/i);
    writeFile(machine.disk, lock, bytes('{"format":1,"ownerToken":"other","pid":9,"hostname":"elsewhere"}\n'));
    await expect(engine.flush()).rejects.toThrow(refused('LSM_DURABILITY_LOST'));
    expect(engine.state).toBe('failed');
    await engine.close();
  });
});

describe('on the real disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kvd-engine-'));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('flushes and compacts in a worker thread, whatever the codec of older tables', async () => {
    const path = join(directory, 'db');
    const open = (codec: 'none' | 'snappy') => Engine.open(path, { codec, level0CompactionTables: 2 });
    for (const codec of ['none', 'snappy'] as const) {
      const engine = await open(codec);
      for (let i = 0; i < 500; i++) void engine.put(bytes(`${codec}${i}`), Buffer.alloc(100, 'aaaaaaaab'));
      await engine.put(bytes('last'), bytes(codec), { durability: 'sync' });
      await engine.flush();
      const stats = engine.stats();
      expect(stats.background.lastThreadId).toBeGreaterThan(0);
      expect(stats.background.lastThreadId).not.toBe(threadId);
      await engine.close();
    }
    const engine = await open('snappy');
    await engine.settled();
    expect(engine.getSync(bytes('none77'))?.length).toBe(100);
    expect(engine.stats().levels[1]?.tables).toBeGreaterThan(0);
    await engine.close();
  });

  it('has the codec byte of the option in its first block', async () => {
    for (const [codec, byte] of [
      ['none', 0],
      ['snappy', 1],
    ] as const) {
      const machine = new Machine();
      const engine = await machine.open({ codec });
      for (let i = 0; i < 30; i++) await engine.put(bytes(`key${i}`), Buffer.alloc(100, 'a'));
      await engine.flush();
      const table = readFile(machine.disk, onlyFile(machine, /sst$/));
      expect(firstCodecByte(table), codec).toBe(byte);
      await engine.close();
    }
  });

  it('is closed to a second opener, and open again after close', async () => {
    const path = join(directory, 'locked');
    const engine = await Engine.open(path);
    await expect(Engine.open(path)).rejects.toThrow(refused('LSM_LOCKED'));
    await engine.put(bytes('a'), bytes('1'));
    await engine.close();
    const again = await Engine.open(path);
    expect(again.recovery.cleanShutdown).toBe(true);
    expect(readFileSync(join(path, 'CURRENT'), 'latin1')).toMatch(/^MANIFEST-\d{6} [0-9a-f]{8}\n$/);
    await again.close();
  });
});
