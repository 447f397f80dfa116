import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeLockHolder } from '../../src/file-system/directory-lock.ts';
import { CallLimit } from '../../src/file-system/node-file.ts';
import { NodeFileSystem } from '../../src/file-system/node-file-system.ts';
import { describeFileSystem } from './file-system-suite.ts';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'kvd-files-'));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true });
});

describeFileSystem('The real disk', () => ({ files: new NodeFileSystem(), root }));
describeFileSystem('The real disk without abstract sockets', () => ({
  files: new NodeFileSystem({ abstractSockets: false }),
  root,
}));

const source = new URL('../../src/file-system/node-file-system.ts', import.meta.url).pathname;

/** A process that locks `root` and, if it has something else to do, lives until it is killed. */
async function otherHolder(abstractSockets: boolean, isBusy = true): Promise<ChildProcess> {
  const script = `
    const { NodeFileSystem } = await import(${JSON.stringify(source)});
    await new NodeFileSystem({ abstractSockets: ${abstractSockets} }).lock(process.argv[1], 'other');
    console.log('locked');
    if (${isBusy}) process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await exit;
}

describe('The lock of a directory on the real disk', () => {
  const variants = process.platform === 'linux' ? [true, false] : [false];

  it.each(variants)(
    'is refused while another process lives, and taken over when it was killed (sockets: %s)',
    async (abstractSockets) => {
      const files = new NodeFileSystem({ abstractSockets });
      const child = await otherHolder(abstractSockets);
      try {
        await expect(files.lock(root, 'ours')).rejects.toMatchObject({
          code: 'EBUSY',
          message: expect.stringContaining(`process ${child.pid} `),
        });
      } finally {
        await kill(child);
      }
      expect(fs.existsSync(join(root, 'LOCK'))).toBe(true);
      const lock = await files.lock(root, 'ours');
      lock.check();
      expect(JSON.parse(fs.readFileSync(join(root, 'LOCK'), 'utf8'))).toMatchObject({
        ownerToken: 'ours',
        pid: process.pid,
      });
      await lock.release();
    },
  );

  it.each(variants)('is one lock for all names of the directory (sockets: %s)', async (abstractSockets) => {
    const files = new NodeFileSystem({ abstractSockets });
    const alias = `${root}-alias`;
    fs.symlinkSync(root, alias);
    try {
      const lock = await files.lock(root, 'one');
      await expect(files.lock(`${alias}/`, 'two')).rejects.toMatchObject({ code: 'EBUSY' });
      await lock.release();
    } finally {
      fs.unlinkSync(alias);
    }
  });

  it.each(variants)('keeps no process alive that has nothing else to do (sockets: %s)', async (abstractSockets) => {
    const child = await otherHolder(abstractSockets, false);
    const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
    expect(code).toBe(0);
  });

  it('is taken from a lock file that a dying process left unfinished', async () => {
    fs.writeFileSync(join(root, 'LOCK'), '{"format":1,"own');
    for (const abstractSockets of variants) {
      const lock = await new NodeFileSystem({ abstractSockets }).lock(root, 'ours');
      lock.check();
      await lock.release();
    }
  });

  it('without sockets, a holder on another host counts as alive', async () => {
    fs.writeFileSync(join(root, 'LOCK'), encodeLockHolder({ ownerToken: 'x', pid: 1, hostname: 'not-this-host' }));
    const files = new NodeFileSystem({ abstractSockets: false });
    await expect(files.lock(root, 'ours')).rejects.toThrow(/process 1 on not-this-host/);
  });
});

describe('The real disk', () => {
  it('makes files and directories for their owner alone', () => {
    const files = new NodeFileSystem();
    files.mkdir(join(root, 'a/b'));
    files.open(join(root, 'a/b/c'), 'create').close();
    const mode = (path: string) => fs.statSync(join(root, path)).mode & 0o777;
    expect([mode('a'), mode('a/b'), mode('a/b/c')]).toEqual([0o700, 0o700, 0o600]);
  });

  it.runIf(process.platform === 'linux')(
    'frees the descriptor of a closed file once its last call is back',
    async () => {
      const files = new NodeFileSystem();
      const file = files.open(join(root, 'a'), 'create');
      const before = fs.readdirSync('/proc/self/fd').length;
      const completion = new Promise<void>((resolve) => file.sync(() => resolve()));
      file.close();
      expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
      await completion;
      expect(fs.readdirSync('/proc/self/fd').length).toBe(before - 1);
    },
  );

  it('lets only so many calls run at once, the others in order', () => {
    const limit = new CallLimit(2);
    const started: number[] = [];
    for (const call of [1, 2, 3, 4]) limit.enter(() => started.push(call));
    expect(started).toEqual([1, 2]);
    limit.leave();
    expect(started).toEqual([1, 2, 3]);
    for (let i = 0; i < 3; i++) limit.leave();
    limit.enter(() => started.push(5));
    expect(started).toEqual([1, 2, 3, 4, 5]);
  });
});
