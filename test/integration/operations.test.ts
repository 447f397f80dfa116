/**
 * A node as its operator sees it, as a real process: passwords and secrets, health and metrics, and a stop that loses nothing
 * and answers what it has taken.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freeBasePort } from './support/free-ports.ts';

const kvd = fileURLToPath(new URL('../../packages/cli/src/bin/kvd.ts', import.meta.url));
const PASSWORD = 'open sesame';
let folder: string;
let port: number;
let node: ChildProcess;
let log: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kvd-operations-'));
  port = await freeBasePort(1);
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);
});

afterEach(() => {
  node?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(...flags: string[]): void {
  const own = ['--id', 'n1', '--port', `${port}`, '--data', join(folder, 'data')];
  const members = ['--initial-members', `n1=127.0.0.1:${port}`];
  log = '';
  node = spawn(process.execPath, ['--conditions=source', kvd, 'start', ...own, ...members, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  node.stderr?.on('data', (chunk) => {
    log += chunk;
  });
}

const ended = () => new Promise<number | null>((resolve) => node.once('close', (code) => resolve(code)));
const status = (path: string) =>
  fetch(`http://127.0.0.1:${port + 20_000}${path}`).then(
    (answer) => answer.status,
    () => 0,
  );

async function ready(): Promise<void> {
  const until = performance.now() + 10_000;
  while ((await status('/readyz')) !== 200) {
    if (performance.now() > until || node.exitCode !== null) throw new Error(`not ready: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Sends all of `text` and collects what comes until `isEnough` or the end. */
function ask(text: string, isEnough: (received: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (isEnough(received)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}

test('a node with a password: health, metrics, AUTH, and no trace of the password', async () => {
  start('--requirepass-file', join(folder, 'password'), '--log-format', 'json', '--log-level', 'debug');
  await ready();
  expect(await status('/healthz')).toBe(200);
  expect(await ask('GET k\r\nQUIT\r\n')).toBe('-NOAUTH Authentication required.\r\n+OK\r\n');
  const conversation = `AUTH "${PASSWORD}"\r\nSET k v\r\nGET k\r\nAUTH wrong\r\nQUIT\r\n`;
  expect(await ask(conversation)).toMatch(/^\+OK\r\n\+OK\r\n\$1\r\nv\r\n-WRONGPASS .*\r\n\+OK\r\n$/);
  const metrics = await (await fetch(`http://127.0.0.1:${port + 20_000}/metrics`)).text();
  expect(metrics).toMatch(/^kvd_client_auth_failures_total 1$/m);
  expect(metrics).toMatch(/^kvd_command_duration_seconds_count\{kind="write"\} 1$/m);
  node.kill('SIGTERM');
  expect(await ended()).toBe(0);
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string });
  expect(lines.map(({ event }) => event)).toContain('client-auth-failed');
  expect(log).not.toContain(PASSWORD);
}, 30_000);

test.runIf(process.platform === 'linux')(
  'a password that was typed as a flag is not left in the list of processes',
  async () => {
    start('--requirepass', PASSWORD);
    await ready();
    expect(readFileSync(`/proc/${node.pid}/cmdline`, 'latin1')).not.toContain(PASSWORD);
  },
  30_000,
);

test('an address that others may reach is refused without secrets, and said to be unsafe at each start', async () => {
  start('--host', '0.0.0.0');
  expect(await ended()).toBe(2);
  expect(log).toMatch(/--host is '0.0.0.0'.*--unsafe-no-auth/);
  start('--host', '0.0.0.0', '--unsafe-no-auth');
  await ready();
  expect(log).toMatch(/WARN {2}unsafe-no-auth host=0.0.0.0 clients=anybody peers=anybody/);
}, 30_000);

test('a stop under load answers what was begun, keeps what was acknowledged, and leaves a clean log', async () => {
  start();
  await ready();
  const writers = Array.from({ length: 8 }, (_, writer) => {
    const text = Array.from({ length: 3000 }, (_, i) => `SET w${writer}:${i} v${i}\r\n`).join('');
    return ask(text);
  });
  await ask('SET first 1\r\n', (received) => received.includes('OK'));
  node.kill('SIGTERM');
  const code = ended();
  const acknowledged = (await Promise.all(writers)).map((received) => {
    // Whole replies, each of them an acknowledgement: nothing was taken and then dropped.
    expect(received).toMatch(/^(?:\+OK\r\n)*$/);
    return received.length / 5;
  });
  expect(await code).toBe(0);
  expect(acknowledged.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  expect(await status('/readyz')).toBe(0);
  start('--log-level', 'debug');
  await ready();
  const reads = acknowledged.map((count, writer) => {
    if (count === 0) return Promise.resolve(true);
    const gets = Array.from({ length: count }, (_, i) => `GET w${writer}:${i}\r\n`).join('');
    return ask(`${gets}QUIT\r\n`).then(
      (received) => received.split('\r\n').filter((line) => /^v\d+$/.test(line)).length === count,
    );
  });
  expect(await Promise.all(reads)).toEqual(acknowledged.map(() => true));
  expect(await ask('INFO kvd\r\nQUIT\r\n')).toMatch(/health:OK/);
}, 60_000);
