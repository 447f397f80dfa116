/**
 * Nothing that was acknowledged is lost, and every replica gets it.
 *
 * A writer outside the cluster puts 100 000 distinct keys with unique values through all three nodes and notes each
 * acknowledgement, while node 2 is killed (-9) twice and node 3 once; at the end all three are killed at the same moment.
 * After they are back, and within 60 seconds, every acknowledged value must be in each node's own store.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Redis } from 'ioredis';
import { DevCluster } from './support/dev-cluster.ts';
import { Clients, missingLocally, writeLedger } from './support/ledger.ts';

const KEYS = 100_000;
/** Acknowledgements after which a node is killed. */
const KILLS = new Map([
  [15_000, 2],
  [45_000, 3],
  [75_000, 2],
]);

let cluster: DevCluster;
let clients: Clients;

beforeAll(async () => {
  cluster = await DevCluster.start(3, ['--restart-delay', '1s']);
  clients = new Clients([0, 1, 2].map((offset) => cluster.port + offset));
  await clients.ready();
}, 60_000);

afterAll(async () => {
  clients?.close();
  await cluster?.stop();
}, 60_000);

test('every acknowledged value is on every node after kills', async () => {
  const killed: number[] = [];
  const { acknowledged } = await writeLedger(clients, {
    count: KEYS,
    inFlight: 192,
    onProgress: (count) => {
      const node = KILLS.get(count);
      if (node !== undefined) killed.push(kill(node));
    },
  });
  expect(acknowledged.size).toBe(KEYS);
  expect(killed).toHaveLength(3);

  const before = cluster.program.lines.length;
  for (const node of [1, 2, 3]) kill(node);
  for (const node of [1, 2, 3]) await cluster.program.line(`node-${node} ready`, before);
  await clients.ready();

  const deadline = performance.now() + 60_000;
  for (const client of clients.all) {
    let missing = await missingLocally(client, acknowledged);
    while (missing.length > 0 && performance.now() < deadline) missing = await missingLocally(client, pick(missing));
    expect(missing.slice(0, 10), `of node ${clients.all.indexOf(client) + 1}, ${missing.length} in all`).toEqual([]);
  }

  function pick(keys: readonly string[]): Map<string, string> {
    return new Map(keys.map((key) => [key, acknowledged.get(key) as string]));
  }
}, 300_000);

test('with one node killed, no request through the others fails', async () => {
  const others = [clients.all[0], clients.all[2]] as Redis[];
  const before = cluster.program.lines.length;
  const failures: string[] = [];
  let done = 0;
  let stop = false;
  const worker = async (client: Redis, id: number): Promise<void> => {
    for (let n = 0; !stop; n++) {
      const [key, value] = [`steady:${id}:${n}`, `v${n}`];
      const answer = await client.set(key, value).catch((error: Error) => error.message);
      if (answer !== 'OK') failures.push(`SET ${key}: ${answer}`);
      const read = await client.get(key).catch((error: Error) => error.message);
      if (read !== value) failures.push(`GET ${key}: ${read}`);
      done += 2;
    }
  };
  const workers = Array.from({ length: 16 }, (_, id) => worker(others[id % 2] as Redis, id));
  await expect.poll(() => done, { timeout: 20_000 }).toBeGreaterThan(500);
  kill(2);
  await cluster.program.line('node-2 ready', before);
  const atReturn = done;
  await expect.poll(() => done, { timeout: 20_000 }).toBeGreaterThan(atReturn + 500);
  stop = true;
  await Promise.all(workers);
  expect(failures).toEqual([]);
}, 60_000);

function kill(node: number): number {
  const pid = cluster.pid(node);
  process.kill(pid, 'SIGKILL');
  return pid;
}
