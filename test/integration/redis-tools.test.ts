/** The tools of Redis, unmodified, against a real three-node cluster: redis-cli's ways to look at all keys, and redis-benchmark. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevCluster } from './support/dev-cluster.ts';

const KEYS = Array.from({ length: 300 }, (_, i) => `tools:${i}`);
let cluster: DevCluster;

async function tool(program: string, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ['-p', String(cluster.port), ...words], { timeout: 60_000 });
  return stdout;
}

beforeAll(async () => {
  cluster = await DevCluster.start(3);
  await tool('redis-cli', 'MSET', ...KEYS.flatMap((key, i) => [key, 'x'.repeat(i)]));
}, 60_000);
afterAll(() => cluster?.stop(), 60_000);

test('redis-cli --scan lists every key, and by a pattern', async () => {
  const all = (await tool('redis-cli', '--scan')).trim().split('\n');
  expect([...new Set(all)].sort()).toEqual([...KEYS].sort());
  const some = (await tool('redis-cli', '--scan', '--pattern', 'tools:29?')).trim().split('\n');
  expect(new Set(some).size).toBe(10);
}, 60_000);

test('redis-cli --bigkeys finds the largest', async () => {
  const report = await tool('redis-cli', '--bigkeys');
  expect(report).toMatch(/Biggest string found .*tools:299.* has 299 bytes/);
  expect(report).toMatch(/Sampled 300 keys in the keyspace!/);
}, 60_000);

test('DBSIZE and INFO keyspace agree', async () => {
  expect((await tool('redis-cli', 'DBSIZE')).trim()).toBe('300');
  expect(await tool('redis-cli', 'INFO', 'keyspace')).toContain('db0:keys=300,expires=0');
}, 60_000);

test('WAIT answers that all three nodes hold a write', async () => {
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    `printf 'SET w 1\\nWAIT 2 2000\\nWAITAOF 1 2 2000\\n' | redis-cli -p ${cluster.port}`,
  ]);
  expect(stdout.trim().split('\n')).toEqual(['OK', '2', '1', '2']);
}, 60_000);

test.each([[[]], [['-P', '16']], [['-3']]])(
  'redis-benchmark %j runs the tests whose commands there are',
  async (more) => {
    const words = ['-n', '500', '-c', '10', '-q', '-t', 'ping,set,get,incr,mset', ...more];
    const report = await tool('redis-benchmark', ...words);
    for (const name of ['SET', 'GET', 'INCR', 'MSET'])
      expect(report).toMatch(new RegExp(`${name}.*requests per second`));
    expect(report).not.toContain('Error');
  },
  60_000,
);
