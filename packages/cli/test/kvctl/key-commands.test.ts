import { expect, test } from 'vitest';
import { bulk, resp3 } from './resp-server.ts';
import { runAlone, runKvctl } from './run-kvctl.ts';

test('put is SET, with a lifetime when one is given', async () => {
  const { asked } = await runKvctl({ 'SET k v': '+OK\r\n' }, 'put', 'k', 'v');
  expect(asked).toEqual(['SET k v']);
  const { exitCode, output } = await runKvctl({ 'SET k v PX 1800000': '+OK\r\n' }, 'put', 'k', 'v', '--expire', '30m');
  expect([exitCode, output]).toEqual([0, ['OK']]);
});

test('put --concurrent and put --context are KVD.PUT, and print the new context', async () => {
  const concurrent = await runKvctl({ 'KVD.PUT k v': bulk('c1') }, 'put', 'k', 'v', '--concurrent');
  expect(concurrent).toMatchObject({ exitCode: 0, output: ['OK', 'context  c1'] });
  const answers = { 'KVD.PUT k v CONTEXT c1 PX 5000': bulk('c2') };
  const { output } = await runKvctl(answers, 'put', 'k', 'v', '--context', 'c1', '--expire', '5s', '--json');
  expect(output).toEqual(['{"key":"k","result":"OK","context":"c2"}']);
});

test('put refuses a context for a write that is to replace nothing, and a lifetime that is none', async () => {
  expect((await runAlone({}, 'put', 'k', 'v', '--context', 'c', '--concurrent')).exitCode).toBe(2);
  const { exitCode, errors } = await runKvctl({}, 'put', 'k', 'v', '--expire', 'soon');
  expect([exitCode, errors[0]]).toEqual([2, expect.stringContaining("expire is 'soon' (from the flag --expire)")]);
});

test('get --siblings shows every value, the context, and how to leave one', async () => {
  const answers = { 'KVD.GET my key': resp3(['ctx', ['a', 'b\u001b']]) };
  const { exitCode, output } = await runKvctl(answers, 'get', 'my key', '--siblings');
  expect([exitCode, output]).toEqual([
    0,
    ['value 1  a', 'value 2  b\uFFFD', 'context  ctx', "to leave one: kvctl put 'my key' VALUE --context ctx"],
  ]);
  const json = await runKvctl({ 'KVD.GET k': resp3(['ctx', ['a']]) }, 'get', 'k', '--siblings', '--json');
  expect(json.output).toEqual(['{"key":"k","found":true,"context":"ctx","values":[{"value":"a"}]}']);
});

test('get --siblings of an absent key exits with 3, and its JSON has the context all the same', async () => {
  const { exitCode, output } = await runKvctl({ 'KVD.GET k': resp3(['c', []]) }, 'get', 'k', '--siblings', '--json');
  expect([exitCode, output]).toEqual([3, ['{"key":"k","found":false,"context":"c"}']]);
});

test('del --context is KVD.DEL', async () => {
  const { output } = await runKvctl({ 'KVD.DEL k CONTEXT c': bulk('c2') }, 'del', 'k', '--context', 'c');
  expect(output).toEqual(['OK', 'context  c2']);
});

test('scan follows the cursor to its end, and passes pattern, count and type on', async () => {
  const answers = {
    'SCAN 0 MATCH u:* COUNT 2 TYPE string': resp3(['77', ['u:1', 'u:2']]),
    'SCAN 77 MATCH u:* COUNT 2 TYPE string': resp3(['0', ['u:\n3']]),
  };
  const flags = ['--count', '2', '--type', 'string'];
  expect((await runKvctl(answers, 'scan', 'u:*', ...flags)).output).toEqual(['u:1', 'u:2', 'u:\uFFFD3']);
  const json = await runKvctl(answers, 'scan', 'u:*', ...flags, '--json');
  expect(json.output).toEqual(['{"key":"u:1"}', '{"key":"u:2"}', '{"key":"u:\\n3"}']);
});

test('scan --limit stops, and asks no further', async () => {
  const answers = { 'SCAN 0 COUNT 500': resp3(['5', ['a', 'b', 'c']]) };
  expect(await runKvctl(answers, 'scan', '--limit', '2')).toMatchObject({ exitCode: 0, output: ['a', 'b'] });
  expect((await runKvctl({ 'SCAN 0 COUNT 500': ':1\r\n' }, 'scan')).exitCode).toBe(1);
});

const replica = { node: 'node-2', role: 'owner', state: 'answered', context: '{a:1}', values: 1, us: 900, note: '' };
const request = {
  ...{ kind: 'read', key: 'k', slot: 7629, entry: 'node-1', coordinator: 'node-1', row: ['node-2'], fallbacks: [] },
  ...{ mode: 'sloppy', n: 3, r: 2, w: 2, us: 1200, outcome: 'ok', need: 2, met: 2, replicas: [replica] },
  steps: [{ us: 10, by: 'node-1', step: 'asked', node: 'node-2', context: null, values: 0, note: '' }],
};

test('explain shows the answer, what was asked for, the replicas and the steps', async () => {
  const explanation = { reply: 'v', error: null, us: 1500, requests: [request] };
  const { exitCode, output } = await runKvctl({ 'KVD.EXPLAIN GET k': resp3(explanation) }, 'explain', 'GET', 'k');
  expect([exitCode, output]).toEqual([
    0,
    [
      'answer  v',
      'took    1.50 ms',
      '',
      'read         k',
      'outcome      ok, 2 of 2 needed',
      'asked for    N=3 R=2 W=2 sloppy',
      'slot         7629',
      'coordinator  node-1 (the node asked)',
      'took         1.20 ms',
      '',
      'REPLICA  ROLE   STATE     VALUES  AT       HAS SEEN  NOTE',
      'node-2   owner  answered  1       0.90 ms  {a:1}',
      '',
      'AT       TOLD BY  STEP   NODE    NOTE',
      '0.01 ms  node-1   asked  node-2',
    ],
  ]);
});

test('explain of a command that failed exits with 1 and still shows what was done', async () => {
  const failed = { ...request, outcome: 'failed', met: null, why: 'node-2 is silent' };
  const explanation = { reply: null, error: 'NOREPLICAS read 1 of R=2', us: 1, requests: [failed] };
  const { exitCode, output } = await runKvctl({ 'KVD.EXPLAIN GET k': resp3(explanation) }, 'explain', 'GET', 'k');
  expect([exitCode, output[0]]).toEqual([1, 'answer  error: NOREPLICAS read 1 of R=2']);
  expect(output).toContain('outcome      failed: node-2 is silent');
});
