/**
 * The recipes of packages/client/README.md, as they stand there, against a real three-node cluster; and the module in a cluster
 * client.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kvdModule } from '@kvd/client';
import { createClient, createCluster } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rootDirectory } from '../tidy/sources.ts';
import { DevCluster } from './support/dev-cluster.ts';

let cluster: DevCluster;

beforeAll(async () => {
  cluster = await DevCluster.start(3);
  await strictWritesSucceed();
}, 60_000);
afterAll(() => cluster?.stop(), 60_000);

/** Strict requests need every owner, and right after the start not every node has reached every other. */
async function strictWritesSucceed(): Promise<void> {
  for (let number = 1; number <= 3; number++) {
    const client = createClient({ url: `redis://127.0.0.1:${cluster.port + number - 1}`, modules: { kvd: kvdModule } });
    await client.connect();
    const write = () => client.kvd.with({ w: 3, mode: 'strict' }, 'SET', 'invoice', 'due');
    for (let tries = 200; (await write().catch(() => 'not yet')) !== 'OK'; tries--) {
      if (tries === 0) throw new Error(`no strict write through node ${number}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    client.destroy();
  }
}

test('the recipes of the README run one after the other', async () => {
  const text = readFileSync(join(rootDirectory, 'packages/client/README.md'), 'utf8');
  const recipes = [...text.matchAll(/```ts recipe\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  expect(recipes.length).toBeGreaterThan(7);
  const client = createClient({ url: `redis://127.0.0.1:${cluster.port}`, modules: { kvd: kvdModule } });
  await client.connect();
  try {
    for (const recipe of recipes) {
      const run = new Function('client', 'assert', 'console', `return (async () => {\n${recipe}\n})();`);
      await run(client, assert, { log: () => {} }).catch((error: Error) => {
        throw new Error(`${error.message}\nin the recipe\n${recipe}`, { cause: error });
      });
    }
  } finally {
    client.destroy();
  }
});

test('a cluster client runs the commands of the module at the node that owns the key', async () => {
  const client = createCluster({
    rootNodes: [{ url: `redis://127.0.0.1:${cluster.port}` }],
    modules: { kvd: kvdModule },
  });
  await client.connect();
  try {
    for (let i = 0; i < 20; i++) {
      const context = await client.kvd.put(`cluster-${i}`, 'a', { w: 2 });
      await client.kvd.put(`cluster-${i}`, 'b', { context });
      expect((await client.kvd.get(`cluster-${i}`)).values).toEqual(['b']);
      const { requests } = await client.kvd.explain('GET', `cluster-${i}`);
      expect(requests[0]?.row[0]).toBe(requests[0]?.entry);
    }
    expect(await client.kvd.members()).toHaveLength(3);
  } finally {
    client.destroy();
  }
});
