import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveSettings } from '../../src/config.ts';
import { type StartDependencies, start } from '../../src/kvd/start.ts';
import { nodeSettings } from '../../src/settings.ts';
import { FakeTerminal } from '../fake-terminal.ts';

let data: string;
let terminal: FakeTerminal;
let happened: string[];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'kvd-start-'));
  terminal = new FakeTerminal();
  happened = [];
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const never = new Promise<never>(() => {});
const pidPath = () => join(data, 'kvd.pid');

function run(changes: Partial<StartDependencies> = {}, failed: Promise<Error> = never, directory = data) {
  const flags = { id: 'node-1', data: directory, initialMembers: 'node-1=127.0.0.1:7379', port: '7400' };
  const settings = resolveSettings(nodeSettings, { flags, environment: {} });
  const stop = async () => void happened.push('stopped');
  const dependencies: StartDependencies = {
    startNode: async (config) => {
      happened.push(`started ${config.id} on ${config.port} and ${config.peerPort}`);
      return { address: '', failed, stop };
    },
    stopWish: never,
    announce: (line) => void happened.push(line, readFileSync(pidPath(), 'utf8').trim()),
    drained: async () => void happened.push('drained'),
    ...changes,
  };
  return start(settings, dependencies, terminal);
}

test('a node that is asked to stop has announced itself, stops, and takes its pid file along', async () => {
  expect(await run({ stopWish: Promise.resolve() })).toBe(0);
  expect(happened).toEqual([
    'started node-1 on 7400 and 17400',
    `node-1 ready: RESP 127.0.0.1:7400, peers 127.0.0.1:17400, data ${data}`,
    String(process.pid),
    'stopped',
  ]);
  expect(existsSync(pidPath())).toBe(false);
});

test('a node whose disk fails drains, stops, says why, and exits with 70', async () => {
  expect(await run({}, Promise.resolve(new Error('fdatasync: EIO')))).toBe(70);
  expect(happened.slice(-2)).toEqual(['drained', 'stopped']);
  expect(terminal.errors).toEqual([
    'node-1 stops: the disk failed under a write, and nothing more is acknowledged: fdatasync: EIO',
  ]);
});

test('a failing node that cannot even stop cleanly still exits with 70', async () => {
  const stop = () => Promise.reject(new Error('EIO again'));
  const startNode = async () => ({ address: '', failed: Promise.resolve(new Error('EIO')), stop });
  expect(await run({ startNode })).toBe(70);
  expect(terminal.errors.at(-1)).toBe('node-1 did not stop cleanly: EIO again');
});

test('a clean stop that fails is told and exits with 1', async () => {
  const startNode = async () => ({ address: '', failed: never, stop: () => Promise.reject(new Error('EIO')) });
  expect(await run({ startNode, stopWish: Promise.resolve() })).toBe(1);
});

test('a node whose pid cannot be written is stopped and has not started', async () => {
  await expect(run({}, never, join(data, 'gone'))).rejects.toMatchObject({ code: 'CLI_CANNOT_START' });
  expect(happened.at(-1)).toBe('stopped');
});

test('a node that does not start leaves the pid file of the one that runs there alone', async () => {
  const startNode = () => Promise.reject(Object.assign(new Error('in use by process 7'), { code: 'LSM_LOCKED' }));
  await expect(run({ startNode })).rejects.toMatchObject({ exitCode: 6 });
  expect(existsSync(pidPath())).toBe(false);
});
