import { createClient, RESP_TYPES } from '@redis/client';
import { afterEach, expect, test } from 'vitest';
import { kvdModule } from '../src/index.ts';
import { bulk, resp3, startRespServer } from './resp-server.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function connect(answers: Readonly<Record<string, string>>) {
  const server = await startRespServer(answers);
  stops.push(server.stop);
  const client = createClient({
    modules: { kvd: kvdModule },
    socket: { port: server.port, host: '127.0.0.1' },
    disableClientInfo: true,
    maintNotifications: 'disabled',
  });
  await client.connect();
  stops.push(() => client.destroy());
  return { client, asked: server.asked };
}

test('get answers the context and every sibling', async () => {
  const { client } = await connect({ 'KVD.GET k': resp3(['ctx', ['a', 'b']]), 'KVD.GET gone': resp3(['c0', []]) });
  const { context, values } = await client.kvd.get('k');
  const typed: string = values.join();
  expect([context, typed]).toEqual(['ctx', 'a,b']);
  expect(await client.kvd.get('gone')).toEqual({ context: 'c0', values: [] });
});

test('values are bytes, and the context is text, where the caller asks for bytes', async () => {
  const { client } = await connect({ 'KVD.GET k': resp3(['ctx', ['a']]) });
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const { context, values } = await bytes.kvd.get('k');
  const typed: Buffer | undefined = values[0];
  expect([context, typed]).toEqual(['ctx', Buffer.from('a')]);
});

test('put, del and siblings say context, lifetime and consistency in the words of the grammar', async () => {
  const list = {
    context: 'c',
    vector: '{a:1}',
    siblings: [{ dot: 'a:1', node: null, 'time-ms': 5, bytes: 3, deleted: 1 }],
  };
  const { client, asked } = await connect({
    'KVD.PUT k v': bulk('c1'),
    'KVD.WITH W 3 STRICT KVD.PUT k v CONTEXT c1 PX 500': bulk('c2'),
    'KVD.DEL k CONTEXT c2': bulk('c3'),
    'KVD.SIBLINGS k': resp3(list),
  });
  expect(await client.kvd.put('k', 'v')).toBe('c1');
  expect(await client.kvd.put('k', 'v', { context: 'c1', px: 500, w: 3, mode: 'strict' })).toBe('c2');
  expect(await client.kvd.del('k', { context: 'c2' })).toBe('c3');
  const { siblings } = await client.kvd.siblings('k');
  expect(siblings).toEqual([{ dot: 'a:1', node: null, timeMs: 5, bytes: 3, deleted: true, expiresMs: null }]);
  expect(asked).toHaveLength(5);
});

test('with runs any command of one key under other numbers, and under a name of the caller', async () => {
  const { client } = await connect({
    'KVD.WITH R 1 GET k': bulk('v'),
    'KVD.WITH TIMEOUT 100 REQUEST r1 INCRBY n 2': ':7\r\n',
  });
  expect(await client.kvd.with({ r: 1 }, 'GET', 'k')).toBe('v');
  expect(await client.kvd.with({ timeoutMs: 100, requestId: 'r1' }, 'INCRBY', 'n', '2')).toBe(7);
});

test('a session is shown and changed', async () => {
  const settings = { n: 3, r: 2, w: 2, pr: 0, pw: 0, dw: 0, mode: 'sloppy', durability: 'sync', timeout: 5000 };
  const { client, asked } = await connect({
    'KVD.SESSION': resp3({ ...settings, causal: 'on', set: ['r'] }),
    'KVD.SESSION PRESET fast-read': '+OK\r\n',
    'KVD.SESSION CAUSAL ON': '+OK\r\n',
    'KVD.SESSION R 3 SLOPPY': '+OK\r\n',
    'KVD.SESSION RESET': '+OK\r\n',
  });
  const { timeout, ...same } = settings;
  expect(await client.kvd.session()).toEqual({ ...same, timeoutMs: timeout, causal: true, set: ['r'] });
  await client.kvd.setSession({ preset: 'fast-read' });
  await client.kvd.setSession({ causal: true });
  await client.kvd.setSession({ r: 3, mode: 'sloppy' });
  expect(await client.kvd.setSession('reset')).toBe('OK');
  expect(asked).toHaveLength(6);
});

const replica = { node: 'node-1', role: 'owner', state: 'answered', context: null, values: 1, us: 90, note: '' };
const step = { us: 10, by: 'node-1', step: 'asked', node: 'node-2', context: null, values: 0, note: '' };
const request = {
  ...{ kind: 'read', key: 'k', slot: 7629, entry: 'node-1', coordinator: 'node-1', row: ['node-1'], fallbacks: [] },
  ...{ mode: 'sloppy', n: 3, r: 2, w: 2, us: 100, outcome: 'ok', need: 2, met: 2, why: null },
  ...{ replicas: [replica], steps: [step] },
};

test('explain gives the answer and what was done for it, in RESP3 and as flat lists', async () => {
  const explanation = { reply: 'v', error: null, us: 120, requests: [request] };
  const { client } = await connect({ 'KVD.EXPLAIN GET k': resp3(explanation) });
  expect(await client.kvd.explain('GET', 'k')).toEqual(explanation);
  const flat = (map: object): unknown[] => Object.entries(map).flat();
  const inner = { ...request, replicas: [flat(replica)], steps: [flat(step)] };
  expect(kvdModule.explain.transformReply(flat({ ...explanation, requests: [flat(inner)] }))).toEqual(explanation);
});

test('members, locate and stats are read from the JSON of the node', async () => {
  const { client } = await connect({
    'KVD.MEMBERS': bulk('[{"id":"node-1"}]'),
    'KVD.LOCATE k': bulk('{"slot":7629}'),
    'KVD.STATS': bulk('{"hintsPending":{"node-2":3}}'),
  });
  expect((await client.kvd.members())[0]?.id).toBe('node-1');
  expect((await client.kvd.locate('k')).slot).toBe(7629);
  expect((await client.kvd.stats()).hintsPending).toEqual({ 'node-2': 3 });
});

test('an error of the node rejects with its own words', async () => {
  const { client } = await connect({ 'KVD.GET k': '-NOREPLICAS kvd: read 1 of R=2\r\n' });
  await expect(client.kvd.get('k')).rejects.toThrow('NOREPLICAS kvd: read 1 of R=2');
});
