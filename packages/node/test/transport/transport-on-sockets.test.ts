/** The same transport over real sockets: two nodes in this process. What it does under faults is in transport.test.ts. */
import type { Message } from '@kvd/replication';
import { afterEach, expect, test } from 'vitest';
import type { Network } from '../../src/runtime.ts';
import { NodeClock } from '../../src/runtime/node-clock.ts';
import { nodeMac } from '../../src/runtime/node-mac.ts';
import { NodeNetwork } from '../../src/runtime/node-network.ts';
import { NodeRandom, NodeSecrets } from '../../src/runtime/node-random.ts';
import { NodeTimers } from '../../src/runtime/node-timers.ts';
import { Transport } from '../../src/transport/transport.ts';
import { fetch, fetchReply } from './cluster.ts';
import { pattern } from './frames.ts';

const running: Transport[] = [];

afterEach(async () => {
  for (const transport of running.splice(0)) await new Promise<void>((resolve) => transport.stop(resolve));
});

/** Starts a node on a free port; the peers' ports are looked up in `ports`, which gets its own. */
async function start(
  id: string,
  ports: Map<string, number>,
  onMessage: (from: string, message: Message) => void,
): Promise<Transport> {
  const transport = new Transport({
    self: { id, host: '127.0.0.1', peerPort: ports.get(id) ?? 0, incarnation: 1 },
    cluster: { id: Buffer.alloc(16, 4), generation: 1 },
    runtime: {
      clock: new NodeClock(),
      timers: new NodeTimers(),
      random: new NodeRandom(),
      secrets: new NodeSecrets(),
      mac: nodeMac,
      network: new NodeNetwork() as Network,
      log: () => {},
    },
    peers: () => [...ports].map(([peer, peerPort]) => ({ id: peer, host: '127.0.0.1', peerPort })),
    hybridNow: () => 1,
    onMessage,
    onReachable: () => {},
    onUnreachable: () => {},
    options: { heartbeatMs: 20, reconnectMinMs: 5, reconnectMaxMs: 20 },
  });
  await new Promise<void>((resolve, reject) => {
    transport.start((error) => (error ? reject(error) : resolve()));
  });
  ports.set(id, transport.port);
  running.push(transport);
  return transport;
}

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!condition()) {
    await new Promise((resolve) => setImmediate(resolve));
    if (performance.now() > giveUpAt) throw new Error('it did not happen in 10 s');
  }
}

test('short and long messages and their replies arrive', async () => {
  const ports = new Map<string, number>();
  const replies: Message[] = [];
  const b = await start('b', ports, (from, message) => {
    if (message.kind === 'fetch') b.send(from, fetchReply(message.stream, message.addresses[0]));
  });
  const a = await start('a', ports, (_, message) => replies.push(message));
  await until(() => a.reachable('b') && b.reachable('a'));
  const values = [10, 200, 5_000_000, 300_000].map((bytes, index) => pattern(bytes, index));
  values.forEach((bytes, index) => {
    expect(a.send('b', fetch(index, { bytes, remainingMs: 10_000 }))).toBe(true);
  });
  await until(() => replies.length === values.length);
  for (const reply of replies) {
    if (reply.kind !== 'fetch-reply') throw new Error(reply.kind);
    expect(Buffer.from(reply.records[0] as Uint8Array).equals(values[reply.stream] as Buffer)).toBe(true);
  }
});

test('a peer that stops is unreachable, and reachable again when it is back', async () => {
  const ports = new Map<string, number>();
  const b = await start('b', ports, () => {});
  const a = await start('a', ports, () => {});
  await until(() => a.reachable('b'));
  await new Promise<void>((resolve) => b.stop(resolve));
  running.splice(running.indexOf(b), 1);
  await until(() => !a.reachable('b'));
  await start('b', ports, () => {});
  await until(() => a.reachable('b'));
});

test('a port that is taken is NODE_PORT_IN_USE', async () => {
  const ports = new Map<string, number>();
  const { port } = await start('a', ports, () => {});
  await expect(start('b', new Map([['b', port]]), () => {})).rejects.toMatchObject({ code: 'NODE_PORT_IN_USE' });
});
