import { expect, test } from 'vitest';
import { runAlone, runKvctl } from './run-kvctl.ts';

const flags = ['--clients', '2', '--requests', '20', '--keys', '1', '--value-bytes', '1'];
const answers = { 'SET kvctl-bench:0 x': '+OK\r\n', 'GET kvctl-bench:0': '_\r\n' };

test('bench tells throughput and percentiles, and which GETs found nothing', async () => {
  const { exitCode, output } = await runKvctl(answers, 'bench', ...flags);
  expect(exitCode).toBe(0);
  expect(output.map((line) => line.split('  ')[0])).toEqual([
    ...['workload', 'requests', 'throughput', 'found nothing', 'mean', 'p50', 'p95', 'p99', 'p99.9', 'max'],
  ]);
});

test('bench --json has the numbers', async () => {
  const { output } = await runKvctl(answers, 'bench', 'set', ...flags, '--json');
  expect(JSON.parse(output[0] ?? '')).toMatchObject({
    workload: 'set',
    requests: 20,
    errors: 0,
    misses: 0,
    clients: 2,
  });
});

test('bench with errors exits with 1 and says the first', async () => {
  const { exitCode, errors } = await runKvctl({}, 'bench', 'set', ...flags);
  expect([exitCode, errors[0]]).toEqual([1, expect.stringContaining('20 of 20 requests failed, first: ERR unknown')]);
});

test('bench refuses flags that make no sense, before it connects', async () => {
  const cases = [['--clients', '0'], ['--duration', '1s', '--requests', '5'], ['all'], ['--value-bytes', 'x']];
  for (const args of cases) expect((await runAlone({ KVCTL_PORT: '1' }, 'bench', ...args)).exitCode).toBe(2);
  expect((await runAlone({ KVCTL_PORT: '1' }, 'bench')).exitCode).toBe(4);
});
