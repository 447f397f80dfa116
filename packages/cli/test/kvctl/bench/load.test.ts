import { expect, test } from 'vitest';
import { type LoadOptions, runLoad } from '../../../src/kvctl/bench/load.ts';
import { NO_PROGRESS } from '../../../src/kvctl/bench/progress.ts';
import type { LoadConnection } from '../../../src/kvctl/connection.ts';

const options: LoadOptions = {
  workload: 'set',
  requests: 100,
  durationMs: Infinity,
  pipeline: 1,
  valueBytes: 3,
  keys: 10,
};

/** A clock that moves by a millisecond with each answer, and clients that keep what they were sent. */
function world(answer: (args: readonly string[]) => unknown = () => 'OK') {
  const state = { nowMs: 0, sent: [] as (readonly string[])[], underWay: 0, most: 0, isOpen: true };
  const client: LoadConnection = {
    get isOpen() {
      return state.isOpen;
    },
    close: () => {},
    async send(args) {
      state.sent.push(args);
      state.most = Math.max(state.most, ++state.underWay);
      await Promise.resolve();
      state.underWay--;
      state.nowMs++;
      return answer(args);
    },
  };
  return { state, client };
}

const run = (changes: Partial<LoadOptions>, { state, client }: ReturnType<typeof world>, clients = 1) =>
  runLoad(
    { ...options, ...changes },
    {
      clients: Array.from({ length: clients }, () => client),
      nowMs: () => state.nowMs,
      progress: NO_PROGRESS,
    },
  );

test('exactly as many requests are sent as were asked for, whatever the clients and pipelines', async () => {
  const all = world();
  const result = await run({ requests: 101, pipeline: 7 }, all, 3);
  expect([all.state.sent.length, result.requests, result.errors]).toEqual([101, 101, 0]);
  expect(all.state.most).toBeGreaterThan(7);
  expect(new Set(all.state.sent.map(([command, , value]) => `${command} ${value}`))).toEqual(new Set(['SET xxx']));
});

test('mixed is half GET, half SET of the same keys', async () => {
  const all = world();
  await run({ workload: 'mixed' }, all);
  const keysOf = (name: string) => all.state.sent.filter(([command]) => command === name).map(([, key]) => key);
  expect(keysOf('GET')).toEqual(keysOf('SET'));
  expect(new Set(keysOf('GET')).size).toBeGreaterThan(5);
});

test('it ends by time when no number is given', async () => {
  const result = await run({ requests: Infinity, durationMs: 50 }, world());
  expect([result.requests, result.seconds, result.perSecond]).toEqual([50, 0.05, 1000]);
  expect(result.latencyMs).toMatchObject({ p50: 1, p999: 1, max: 1 });
});

test('misses and errors are counted, and the first error is kept', async () => {
  expect(
    (
      await run(
        { workload: 'get' },
        world(() => null),
      )
    ).misses,
  ).toBe(100);
  const failing = world(() => {
    throw new Error('no');
  });
  const result = await run({}, failing);
  expect([result.errors, (result.firstError as Error).message, result.latencyMs.max]).toEqual([100, 'no', 0]);
});

test('a client that lost its connection sends no more', async () => {
  const all = world();
  const dying = { ...all, client: { ...all.client, isOpen: false } };
  expect((await run({}, dying)).requests).toBe(0);
});
