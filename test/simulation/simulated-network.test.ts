import { describe, expect, test } from 'vitest';
import { networkSuite } from '../../packages/node/test/runtime/network-suite.ts';
import { SeedRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { HostProcess, SimulatedNetwork } from './simulated-network.ts';

function world(seed = 1) {
  const random = new SeedRandom(seed);
  const scheduler = new Scheduler({ random: random.stream('ties') });
  const network = new SimulatedNetwork(scheduler, random.stream('network'));
  const a = new HostProcess('a', 0);
  const b = new HostProcess('b', 1);
  return { scheduler, network, a, b, client: network.networkOf(a), server: network.networkOf(b) };
}

networkSuite('the simulated network', () => {
  const { scheduler, client, server } = world();
  const until = async (condition: () => boolean): Promise<void> => {
    do {
      const event = scheduler.step();
      if (!event && !condition()) throw new Error('nothing is left to happen');
      if (!event) return;
    } while (!condition());
  };
  return { client, server, host: 'b', until };
});

describe('what the simulated network does to connections', () => {
  /** A connection whose far end counts what it gets. */
  function connection(seed = 1) {
    const all = world(seed);
    const got: string[] = [];
    const state = { closes: [] as (string | undefined)[] };
    all.server.listen(
      { host: 'b', port: 7 },
      (socket) => {
        socket.handle({ data: (chunk) => void got.push(chunk.toString()), closed: () => {} });
      },
      () => {},
    );
    const socket = all.client.connect(
      { host: 'b', port: 7 },
      {
        data: () => {},
        closed: (error) => void state.closes.push((error as { code?: string } | undefined)?.code),
      },
    );
    const settle = (): void => {
      while (all.scheduler.step());
    };
    settle();
    return { ...all, got, state, socket, settle };
  }

  test('what meets a cut arrives after it is mended', () => {
    const { network, socket, got, settle } = connection();
    network.cut('a', 'b');
    socket.write(Buffer.from('one'));
    settle();
    expect(got).toEqual([]);
    network.mend('a', 'b');
    settle();
    expect(got).toEqual(['one']);
  });

  test('segments are lost, repeated and reordered as asked', () => {
    const { network, socket, got, settle } = connection(3);
    Object.assign(network.faults, { loss: 0.2, duplication: 0.2, reordering: 0.2 });
    const sent = Array.from({ length: 100 }, (_, i) => `<${i}>`);
    for (const text of sent) socket.write(Buffer.from(text));
    settle();
    const { lost, duplicated, reordered } = network.counters;
    expect([lost, duplicated, reordered].every((count) => count > 5)).toBe(true);
    expect(got.length).toBe(100 - lost + duplicated);
    expect(new Set(got).size).toBe(100 - lost);
    expect(got).not.toEqual(sent.filter((text) => got.includes(text)));
  });

  test('a lost segment may take the connection with it', () => {
    const { network, socket, state, settle } = connection();
    Object.assign(network.faults, { loss: 1, reset: 1 });
    socket.write(Buffer.from('gone'));
    settle();
    expect(state.closes).toEqual(['ECONNRESET']);
  });

  test('a process that dies resets its connections; one without power says nothing until it is back', () => {
    const killed = connection();
    killed.network.kill(killed.b, false);
    killed.settle();
    expect(killed.state.closes).toEqual(['ECONNRESET']);
    const dark = connection();
    dark.network.kill(dark.b, true);
    dark.socket.write(Buffer.from('anybody?'));
    dark.settle();
    expect(dark.state.closes).toEqual([]);
    dark.network.powerOn('b');
    dark.socket.write(Buffer.from('anybody?'));
    dark.settle();
    expect(dark.state.closes).toEqual(['ECONNRESET']);
  });

  test('a split connection delivers the same bytes in other pieces', () => {
    const all = world();
    all.network.faults.splitting = 1;
    const got: Buffer[] = [];
    all.server.listen(
      { host: 'b', port: 7 },
      (socket) => {
        socket.handle({ data: (chunk) => void got.push(Buffer.from(chunk)), closed: () => {} });
      },
      () => {},
    );
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));
    all.client.connect({ host: 'b', port: 7 }, { data: () => {}, closed: () => {} }).write(bytes);
    while (all.scheduler.step());
    expect(got.length).toBeGreaterThan(5);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
  });

  test('received memory is overwritten after the callback', () => {
    const all = world();
    let kept: Buffer = Buffer.alloc(0);
    all.server.listen(
      { host: 'b', port: 7 },
      (socket) => {
        socket.handle({
          data: (chunk) => {
            kept = chunk;
          },
          closed: () => {},
        });
      },
      () => {},
    );
    all.client.connect({ host: 'b', port: 7 }, { data: () => {}, closed: () => {} }).write(Buffer.from('abc'));
    while (all.scheduler.step());
    expect([...kept]).toEqual([0xee, 0xee, 0xee]);
  });
});
