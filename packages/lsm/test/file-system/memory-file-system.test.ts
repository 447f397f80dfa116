import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type CrashOptions, type FileCall, MemoryFileSystem } from '../../src/file-system/memory-file-system.ts';
import type { File } from '../../src/file-system/file-system.ts';
import { describeFileSystem, readAll, synced } from './file-system-suite.ts';

function newDisk(): MemoryFileSystem {
  const files = new MemoryFileSystem({ deferAsync: (completion) => void setImmediate(completion) });
  files.mkdir('/d');
  return files;
}

/** A disk whose asynchronous calls complete when the test says so. */
function steppedDisk(): { files: MemoryFileSystem; step: () => void } {
  const waiting: (() => void)[] = [];
  const files = new MemoryFileSystem({ deferAsync: (completion) => void waiting.push(completion) });
  files.mkdir('/d');
  return { files, step: () => waiting.shift()?.() };
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const dropAll: CrashOptions = { random: () => 0, mode: 'drop-all' };
const keepAll: CrashOptions = { random: () => 0, mode: 'keep-all' };
const bytes = (text: string) => Buffer.from(text);

/** A durable, empty file. */
function durableFile(files: MemoryFileSystem, path = '/d/a'): File {
  const file = files.open(path, 'create');
  files.syncDirectory('/d');
  return file;
}

function contents(files: MemoryFileSystem, path = '/d/a'): string {
  const file = files.open(path, 'read');
  const text = readAll(file);
  file.close();
  return text;
}

let suiteDisk: MemoryFileSystem;
beforeEach(() => {
  suiteDisk = newDisk();
});
describeFileSystem('The memory disk', () => ({ files: suiteDisk, root: '/d' }));

describe('A memory disk that loses power', () => {
  it('keeps what was synced and drops the rest', async () => {
    const files = newDisk();
    const file = durableFile(files);
    file.write(bytes('synced'), 0);
    await synced(file);
    file.write(bytes('XX lost'), 0);
    file.truncate(3);
    expect(files.crash(dropAll)).toEqual({ unsyncedBytes: 7, droppedBytes: 7, tornWrites: 0, droppedNames: 0 });
    expect(contents(files)).toBe('synced');
  });

  it('covers by a sync only what was written before it was asked for', () => {
    const { files, step } = steppedDisk();
    const file = durableFile(files);
    file.write(bytes('before'), 0);
    file.sync(() => {});
    file.write(bytes('after!'), 6);
    file.write(bytes('B'), 0);
    step();
    files.crash(dropAll);
    expect(contents(files)).toBe('before');
  });

  it('keeps apart what two syncs under way at once cover', () => {
    const { files, step } = steppedDisk();
    const file = durableFile(files);
    for (const text of ['1', '2', '3']) {
      file.write(bytes(text), file.size());
      file.sync(() => {});
    }
    step();
    file.write(bytes('4'), 3);
    step();
    step();
    files.crash(dropAll);
    expect(contents(files)).toBe('123');
  });

  it('has nothing from a sync that was under way, and never calls it back', () => {
    const { files, step } = steppedDisk();
    const file = durableFile(files);
    file.write(bytes('x'), 0);
    let isDone = false;
    file.sync(() => {
      isDone = true;
    });
    files.crash(dropAll);
    step();
    expect(isDone).toBe(false);
    expect(contents(files)).toBe('');
  });

  it('kills open files and frees locks', async () => {
    const files = newDisk();
    const file = durableFile(files);
    const lock = await files.lock('/d', 'one');
    expect(files.openFiles).toBe(1);
    files.crash(keepAll);
    expect(() => file.size()).toThrow(expect.objectContaining({ code: 'EBADF' }));
    await expect(synced(file)).rejects.toMatchObject({ code: 'EBADF' });
    file.close();
    expect(files.openFiles).toBe(0);
    expect(() => lock.check()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    const next = await files.lock('/d', 'two');
    await lock.release();
    next.check();
  });

  it('keeps the page cache when only the process dies, and still has not synced it', () => {
    const files = newDisk();
    files.open('/d/a', 'create').write(bytes('cached'), 0);
    expect(files.crash(keepAll)).toMatchObject({ unsyncedBytes: 6, droppedBytes: 0, droppedNames: 0 });
    expect(contents(files)).toBe('cached');
    expect(files.crash(dropAll)).toMatchObject({ unsyncedBytes: 6, droppedBytes: 6, droppedNames: 1 });
    expect(files.readdir('/d')).toEqual([]);
  });

  it('forgets names until their directory is synced: create, rename, link, unlink', () => {
    const files = newDisk();
    durableFile(files, '/d/a').close();
    durableFile(files, '/d/b').close();
    files.open('/d/new', 'create').close();
    files.rename('/d/a', '/d/b');
    files.link('/d/b', '/d/linked');
    files.unlink('/d/b');
    expect(files.readdir('/d')).toEqual(['linked', 'new']);
    expect(files.crash(dropAll).droppedNames).toBe(4);
    expect(files.readdir('/d')).toEqual(['a', 'b']);
  });

  it('may keep either name or both of a move between directories, never neither', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const files = newDisk();
      files.mkdir('/d/trash');
      durableFile(files).close();
      files.rename('/d/a', '/d/trash/a');
      files.crash({ random: seeded(seed), mode: 'random' });
      seen.add(`${files.size('/d/a') !== undefined} ${files.size('/d/trash/a') !== undefined}`);
    }
    expect([...seen].sort()).toEqual(['false true', 'true false', 'true true']);
  });

  it('syncs the new name of a move along with the old', () => {
    const files = newDisk();
    files.mkdir('/d/trash');
    durableFile(files).close();
    files.rename('/d/a', '/d/trash/a');
    files.syncDirectory('/d');
    files.crash(dropAll);
    expect(files.readdir('/d')).toEqual(['trash']);
    expect(files.readdir('/d/trash')).toEqual(['a']);
  });

  it('keeps the operations on one name in order: a file renamed away is not lost to a new one of its old name', () => {
    for (let seed = 0; seed < 200; seed++) {
      const files = newDisk();
      const file = durableFile(files);
      file.write(bytes('old'), 0);
      file.syncNow();
      files.rename('/d/a', '/d/b');
      files.open('/d/a', 'create').close();
      files.crash({ random: seeded(seed), mode: 'random' });
      expect([files.size('/d/a'), files.size('/d/b')]).toContain(3);
    }
  });

  it('reaches every kind of damage: nothing, all, a torn write, a hole, a tail of zeros, torn pages', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const files = newDisk();
      const file = durableFile(files);
      for (let i = 0; i < 4; i++) file.write(Buffer.alloc(4096, 0x61 + i), i * 4096);
      files.crash({ random: seeded(seed), mode: 'random' });
      const text = contents(files);
      const firstZero = text.indexOf('\0');
      const afterZero = firstZero < 0 ? -1 : text.slice(firstZero).search(/[^\0]/);
      if (text === '') seen.add('nothing');
      else if (text.length === 16384 && firstZero < 0) seen.add('all');
      else if (firstZero < 0 && text.length % 4096 !== 0) seen.add('torn');
      else if (afterZero >= 0) seen.add('hole');
      else if (firstZero >= 0) seen.add('zero tail');
      if (/a\0+b/.test(text)) seen.add('torn inside');
    }
    expect([...seen].sort()).toEqual(['all', 'hole', 'nothing', 'torn', 'torn inside', 'zero tail']);
  });

  it('tears overwritten pages between the old bytes and the new, and reports it', () => {
    let torn = 0;
    for (let seed = 0; seed < 100; seed++) {
      const files = newDisk();
      const file = durableFile(files);
      file.write(bytes('o'.repeat(100)), 0);
      file.syncNow();
      file.write(bytes('n'.repeat(100)), 0);
      const { tornWrites } = files.crash({ random: seeded(seed), mode: 'random' });
      const text = contents(files);
      expect(text).toMatch(/^[on]{100}$/);
      const isMixed = text.includes('o') && text.includes('n');
      expect(tornWrites).toBe(isMixed ? 1 : 0);
      if (isMixed) torn++;
    }
    expect(torn).toBeGreaterThan(10);
  });

  it('gives the same disk for the same calls and numbers', () => {
    const run = (seed: number) => {
      const files = newDisk();
      const file = durableFile(files);
      for (let i = 0; i < 40; i++) file.write(bytes(`record ${i};`.repeat(40)), file.size());
      files.open('/d/b', 'create').close();
      const report = files.crash({ random: seeded(seed), mode: 'random' });
      return { report, text: contents(files), names: files.readdir('/d') };
    };
    for (let seed = 0; seed < 20; seed++) expect(run(seed)).toEqual(run(seed));
  });

  it('after any writes, truncates, syncs and crashes holds the synced bytes where nothing came after', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        position: fc.nat(9000),
        length: fc.integer({ min: 1, max: 5000 }),
      }),
      fc.record({ kind: fc.constant('truncate' as const), size: fc.nat(9000) }),
      fc.record({ kind: fc.constant('sync' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), fc.boolean(), (steps, seed, isRandom) => {
        const files = newDisk();
        let file = durableFile(files);
        let now = Buffer.alloc(0);
        let platter = now;
        let touchedFrom = Number.POSITIVE_INFINITY;
        steps.forEach((action, i) => {
          if (action.kind === 'sync') {
            file.syncNow();
            platter = now;
            touchedFrom = Number.POSITIVE_INFINITY;
            return;
          }
          const end = action.kind === 'write' ? action.position + action.length : action.size;
          const size = action.kind === 'write' ? Math.max(now.length, end) : end;
          const next = Buffer.alloc(size);
          now.copy(next, 0, 0, size);
          if (action.kind === 'write') {
            const data = Buffer.alloc(action.length, i + 1);
            data.copy(next, action.position);
            file.write(data, action.position);
            touchedFrom = Math.min(touchedFrom, action.position, now.length);
          } else {
            file.truncate(action.size);
            touchedFrom = Math.min(touchedFrom, action.size, now.length);
          }
          now = next;
        });
        expect(contents(files)).toBe(now.toString());
        files.crash(isRandom ? { random: seeded(seed), mode: 'random' } : dropAll);
        file = files.open('/d/a', 'read');
        const after = Buffer.alloc(file.size());
        file.read(after, 0);
        if (!isRandom) expect(after.equals(platter)).toBe(true);
        const untouched = Math.min(touchedFrom, platter.length, after.length);
        expect(after.subarray(0, untouched).equals(platter.subarray(0, untouched))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('Injected faults', () => {
  it('asks the hook before each call, throws its errors and gives them to completions', async () => {
    const calls: FileCall[] = [];
    const files = new MemoryFileSystem({
      deferAsync: (completion) => void setImmediate(completion),
      onCall: (call) => {
        calls.push(call);
        return undefined;
      },
    });
    files.mkdir('/d');
    const file = files.open('/d/a', 'create');
    file.write(bytes('abc'), 0);
    await synced(file);
    expect(calls).toEqual([
      { operation: 'mkdir', path: '/d' },
      { operation: 'open', path: '/d/a' },
      { operation: 'write', path: '/d/a', bytes: 3 },
      { operation: 'sync', path: '/d/a' },
    ]);
    files.onCall = (call) => Object.assign(new Error(`no ${call.operation}`), { code: 'ENOSPC' });
    expect(() => file.write(bytes('x'), 3)).toThrow('no write');
    expect(() => files.rename('/d/a', '/d/b')).toThrow('no rename');
    await expect(synced(file)).rejects.toThrow('no sync');
    await expect(files.lock('/d', 'x')).rejects.toThrow('no lock');
    files.onCall = undefined;
    expect(contents(files)).toBe('abc');
  });

  it('may crash the disk inside the hook', () => {
    const files = newDisk();
    const file = durableFile(files);
    files.onCall = () => {
      files.onCall = undefined;
      files.crash(dropAll);
      return undefined;
    };
    expect(() => file.write(bytes('x'), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  it('fails one sync of the named file; its dropped pages are gone at once', async () => {
    const files = newDisk();
    const file = durableFile(files, '/d/1.log');
    file.write(bytes('synced'), 0);
    await synced(file);
    files.failNextSync('.log', { dropPages: true });
    const other = durableFile(files, '/d/other');
    await synced(other);
    file.write(bytes('LOST and lost'), 0);
    await expect(synced(file)).rejects.toMatchObject({ code: 'EIO' });
    expect(contents(files, '/d/1.log')).toBe('synced');
    file.write(bytes('S'), 0);
    await synced(file);
    files.crash(dropAll);
    expect(contents(files, '/d/1.log')).toBe('Synced');
  });

  it('fails a sync whose pages stay readable and are never written: a later sync lies', async () => {
    const files = newDisk();
    const file = durableFile(files);
    files.failNextSync('/a', { dropPages: false });
    file.write(bytes('lost'), 0);
    await expect(synced(file)).rejects.toMatchObject({ code: 'EIO' });
    file.write(bytes('later'), 4);
    await synced(file);
    expect(contents(files)).toBe('lostlater');
    files.crash(keepAll);
    expect(contents(files)).toBe('lostlater');
    files.crash(dropAll);
    expect(contents(files)).toBe('\0\0\0\0later');
  });

  it('counts calls and bytes', async () => {
    const files = newDisk();
    const file = durableFile(files);
    file.write(bytes('abcd'), 0);
    file.read(Buffer.alloc(3), 2);
    await synced(file);
    expect(files.counters).toEqual({ syncs: 1, reads: 1, writes: 1, bytesRead: 2, bytesWritten: 4 });
  });
});
