/**
 * Unmodified clients against a real three-node cluster: ioredis, node-redis and redis-cli connect, pipeline, and get typed
 * replies, in both protocols; cluster clients find their way by CLUSTER SLOTS.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DevCluster } from './support/dev-cluster.ts';

let cluster: DevCluster;
const server = {
  get port(): number {
    return cluster.port;
  },
};

beforeAll(async () => {
  cluster = await DevCluster.start(3);
}, 60_000);
afterAll(() => cluster?.stop(), 60_000);

describe.each([2, 3] as const)('ioredis, RESP%i', (protocol) => {
  test('connects, pipelines, gets typed replies and errors', async () => {
    const client = new Redis({ port: server.port, protocol, connectionName: 'io', retryStrategy: () => null });
    try {
      expect(await client.set('k', 'v')).toBe('OK');
      expect(await client.getBuffer('k')).toEqual(Buffer.from('v'));
      const results = await client.pipeline().set('a', '1').get('a').mget('a', 'nosuch').del('a', 'nosuch').exec();
      expect(results).toEqual([
        [null, 'OK'],
        [null, '1'],
        [null, ['1', null]],
        [null, 1],
      ]);
      const many = await Promise.all(Array.from({ length: 2000 }, (_, i) => client.set(`io${i}`, String(i))));
      expect(new Set(many)).toEqual(new Set(['OK']));
      expect(await client.mget('io7', 'io1999')).toEqual(['7', '1999']);
      await expect(client.hget('k', 'f')).rejects.toThrow("ERR unknown command 'hget', with args beginning with: 'k'");
      expect(await client.set('k', 'v', 'EX', 100)).toBe('OK');
      expect(await client.ttl('k')).toBeGreaterThan(90);
      expect(await client.set('k', 'w', 'NX')).toBeNull();
      await client.del('n');
      expect(await Promise.all([client.incr('n'), client.incrby('n', 5), client.incrbyfloat('n', 0.5)])).toEqual([
        1,
        6,
        '6.5',
      ]);
      expect(await client.client('GETNAME')).toBe('io');
      expect(await client.call('KVD.WITH', 'R', '1', 'GET', 'k')).toBe('v');
    } finally {
      client.disconnect();
    }
  });
});

describe.each([2, 3] as const)('node-redis, RESP%i', (protocol) => {
  test('connects, pipelines, gets typed replies and errors', async () => {
    const client = createClient({
      RESP: protocol,
      name: 'nr',
      socket: { port: server.port, reconnectStrategy: false },
    });
    client.on('error', () => {});
    await client.connect();
    try {
      expect(await client.set('k', 'v')).toBe('OK');
      expect(await client.get('k')).toBe('v');
      expect(await client.get('nosuch')).toBeNull();
      expect(await client.mSet({ a: '1', b: '2' })).toBe('OK');
      const replies = await Promise.all([
        client.mGet(['a', 'nosuch', 'b']),
        client.exists(['a', 'b', 'nosuch']),
        client.type('a'),
      ]);
      expect(replies).toEqual([['1', null, '2'], 2, 'string']);
      expect(await client.del(['a', 'b', 'nosuch'])).toBe(2);
      expect(await client.configGet('save')).toEqual({ save: '' });
      expect(await client.clientInfo()).toMatchObject({ name: 'nr', libName: 'node-redis', resp: protocol });
      expect(await client.commandCount()).toBeGreaterThan(20);
      expect(await client.commandInfo(['get'])).toMatchObject([{ name: 'get', arity: 2, firstKeyIndex: 1 }]);
      expect((await client.clusterSlots()).length).toBeGreaterThan(1);
      await expect(client.hGet('k', 'f')).rejects.toThrow(
        "ERR unknown command 'HGET', with args beginning with: 'k' 'f'",
      );
    } finally {
      client.destroy();
    }
  });
});

const run = promisify(execFile);
const hasRedisCli = await run('redis-cli', ['--version']).then(
  () => true,
  () => false,
);

test('redis-cli is there where all tools must be', () => {
  if (process.env['CI']) expect(hasRedisCli).toBe(true);
});

describe.skipIf(!hasRedisCli)('redis-cli', () => {
  const cli = async (...words: string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-p', String(server.port), ...words]);
    return stdout.trimEnd();
  };

  test('sets and gets, in both protocols', async () => {
    expect(await cli('SET', 'k', 'v w')).toBe('OK');
    expect(await cli('GET', 'k')).toBe('v w');
    expect(await cli('-3', 'GET', 'k')).toBe('v w');
    expect(await cli('--json', '-3', 'MGET', 'k', 'nosuch')).toBe('["v w",null]');
  });

  test('repeats a command, and reads the documentation of the table', async () => {
    expect(await cli('-r', '3', 'PING')).toBe('PONG\nPONG\nPONG');
    expect(await cli('COMMAND', 'DOCS', 'get')).toContain('Get the value of a key');
  });
});

test('ioredis.Cluster goes straight to the owners', async () => {
  const client = new Cluster([{ host: '127.0.0.1', port: cluster.port }], { clusterRetryStrategy: () => null });
  try {
    for (let i = 0; i < 50; i++) expect(await client.set(`ioc${i}`, String(i))).toBe('OK');
    const values = await Promise.all(Array.from({ length: 50 }, (_, i) => client.get(`ioc${i}`)));
    expect(values).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(client.nodes('master').length).toBe(3);
  } finally {
    client.disconnect();
  }
});

test('a node-redis cluster goes straight to the owners', async () => {
  const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${cluster.port}` }] });
  client.on('error', () => {});
  await client.connect();
  try {
    for (let i = 0; i < 50; i++) expect(await client.set(`nrc${i}`, String(i))).toBe('OK');
    expect(await client.get('nrc49')).toBe('49');
    expect(client.masters.length).toBe(3);
  } finally {
    client.destroy();
  }
});
