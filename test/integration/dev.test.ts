/**
 * `kvd dev` and `kvctl` as real processes: what `npm start` promises, and what bad input is answered with.
 *
 * One cluster of three nodes serves the tests in order; the last ones end it. Waiting is for printed lines, not for time.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevCluster, processGone } from './support/dev-cluster.ts';
import { freeBasePort, isFree } from './support/free-ports.ts';
import { fromSources, Program, run } from './support/program.ts';

let cluster: DevCluster;

beforeAll(async () => {
  cluster = await DevCluster.start(3, ['--restart-delay', '300ms', '--anti-entropy-interval-ms', '500']);
}, 60_000);

afterAll(() => cluster?.stop());

const start = (...flags: readonly string[]) => run([...fromSources.kvd, 'start', ...flags]);

test('one line per node, then kvd ready and what to type next', async () => {
  await cluster.program.line('Ctrl-C stops the cluster');
  const { lines } = cluster.program;
  for (const number of [1, 2, 3]) {
    const port = cluster.port + number - 1;
    const data = join(cluster.data, `node-${number}`);
    expect(lines).toContain(
      `node-${number} ready: RESP 127.0.0.1:${port}, peers 127.0.0.1:${port + 10_000}, data ${data}`,
    );
  }
  expect(lines.some((line) => line.includes(`-p ${cluster.port} `))).toBe(true);
});

test('what one node is given, every other node has', async () => {
  expect(await cluster.kvctl(1, 'put', 'k', 'v')).toMatchObject({ code: 0, output: 'OK' });
  expect(await cluster.kvctl(3, 'get', 'k')).toMatchObject({ code: 0, output: 'v' });
  expect(await cluster.kvctl(2, 'del', 'k')).toMatchObject({ code: 0, output: 'deleted' });
  expect(await cluster.kvctl(1, 'get', 'k')).toMatchObject({ code: 3, output: "kvctl: there is no key 'k'" });
});

test('kvctl get gives binary values as they are', async () => {
  const value = Buffer.from([0x80, 0xff, 0x00, 0x61]);
  const client = new Redis({ port: cluster.port });
  await client.set('binary', value);
  client.disconnect();
  const args = [...fromSources.kvctl, '-p', `${cluster.port}`, 'get', 'binary'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { encoding: 'buffer' });
  expect(stdout).toEqual(Buffer.concat([value, Buffer.from('\n')]));
});

test('status, members and locate tell about the cluster', async () => {
  const members = await cluster.kvctl(1, 'members', '--json');
  expect(JSON.parse(members.output).map((member: { id: string }) => member.id)).toEqual(['node-1', 'node-2', 'node-3']);
  const location = JSON.parse((await cluster.kvctl(1, 'locate', '123456789', '--json')).output);
  expect(location.slot).toBe(12_739);
  expect([...location.row].sort()).toEqual(['node-1', 'node-2', 'node-3']);
  expect(location.primary).toBe(location.row[0]);
  expect((await cluster.kvctl(2, 'status')).output).toContain('members alive');
});

test('a second start while it runs says which port is taken and which flag changes it', async () => {
  const second = await run([...fromSources.kvd, 'dev', '--port', `${cluster.port}`, '--data', cluster.data]);
  expect(second.code).toBe(5);
  expect(second.output).toContain(`port ${cluster.port} on 127.0.0.1 (RESP of node-1) is taken`);
  expect(second.output).toContain('--port');
});

test('a killed node is started again, says so, and gets what it missed', async () => {
  const before = cluster.program.lines.length;
  const killed = cluster.pid(2);
  process.kill(killed, 'SIGKILL');
  expect(await cluster.kvctl(1, 'put', 'while-down', 'latest')).toMatchObject({ code: 0 });
  expect(await cluster.kvctl(3, 'get', 'while-down')).toMatchObject({ code: 0, output: 'latest' });
  await cluster.program.line('node-2 died (killed by SIGKILL); starting it again in 300 ms', before);
  await cluster.program.line('node-2 ready', before);
  expect(cluster.pid(2)).not.toBe(killed);
  await expect
    .poll(() => cluster.kvctl(2, 'get', 'while-down', '--local'), { timeout: 20_000, interval: 250 })
    .toMatchObject({ code: 0, output: 'latest' });
}, 60_000);

test('a directory that a live process uses is refused, and so is one of another node', async () => {
  const port = await freeBasePort(1);
  const members = `node-1=127.0.0.1:${port},node-9=127.0.0.1:${port + 1}`;
  const common = ['--port', `${port}`, '--initial-members', members];
  const data = join(cluster.data, 'node-1');
  const locked = await start('--id', 'node-1', '--data', data, ...common);
  expect([locked.code, locked.output.split('\n').length]).toEqual([6, 1]);
  expect(locked.output).toContain(`node-1 cannot start on data directory ${data}`);

  const own = join(cluster.data, 'apart');
  const first = new Program([...fromSources.kvd, 'start', '--id', 'node-1', '--data', own, ...common]);
  await first.line('node-1 ready');
  first.child.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  const other = await start('--id', 'node-9', '--data', own, ...common);
  expect(other.code).toBe(6);
  expect(other.output).toContain('node-1');
});

test('a port that is in use is named with the flag that changes it', async () => {
  const data = join(cluster.data, 'refused');
  const members = `node-1=127.0.0.1:${cluster.port}`;
  const refused = await start(
    '--id',
    'node-1',
    '--port',
    `${cluster.port}`,
    '--data',
    data,
    '--initial-members',
    members,
  );
  expect(refused.code).toBe(5);
  expect(refused.output).toMatch(/\d{5}/);
  expect(refused.output).toContain('--p');
});

test('a node that is asked to stop stops cleanly; the cluster starts it again', async () => {
  const before = cluster.program.lines.length;
  process.kill(cluster.pid(3), 'SIGTERM');
  await cluster.program.line('node-3 died (exit code 0); starting it again', before);
  await cluster.program.line('node-3 ready', before);
}, 60_000);

test('stopping ends every process, frees every port, and keeps the data', async () => {
  const pids = [1, 2, 3].map((number) => cluster.pid(number));
  cluster.program.child.kill('SIGINT');
  expect(await cluster.program.ended).toEqual({ code: 0, signal: null });
  expect(cluster.program.lines.at(-1)).toBe('all nodes have stopped');
  for (const pid of pids) await processGone(pid);
  expect(await isFree(cluster.port)).toBe(true);

  const again = new Program([...fromSources.kvd, 'dev', '--port', `${cluster.port}`, '--data', cluster.data]);
  await again.line('kvd ready');
  expect(await cluster.kvctl(2, 'get', 'while-down')).toMatchObject({ code: 0, output: 'latest' });
  again.child.kill('SIGTERM');
  expect(await again.ended).toEqual({ code: 0, signal: null });
}, 60_000);

test('nodes go when their supervisor is killed outright', async () => {
  const other = await DevCluster.start(1);
  const pid = other.pid(1);
  other.program.child.kill('SIGKILL');
  await processGone(pid);
  expect(await isFree(other.port)).toBe(true);
  rmSync(other.data, { recursive: true, force: true });
}, 60_000);
