/**
 * Goal: an exchange of real records is the dotted-version-vector merge, and finds by their real hashes just what differs.
 * Method: random histories of writes at two nodes that sometimes exchange; a third store merges all that either ever held.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AntiEntropy, type ExchangeMessage } from '../../src/anti-entropy/exchange.ts';
import { encodeAddress } from '../../src/address.ts';
import { recordHash } from '../../src/anti-entropy/record-hash.ts';
import { makeActor } from '../../src/dot.ts';
import type { NodeId, RequestHeader } from '../../src/messages.ts';
import { applyWrite, mergeRecords } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-codec.ts';
import { latin1, MemoryReplicaStore } from '../support/memory-replica-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { World } from '../support/world.ts';

const HEADER: RequestHeader = {
  id: { entry: 'a', incarnation: 1, n: 1 },
  remainingMs: 1,
  ringEpoch: 1,
  slotPhase: 0,
  keyspace: 0,
  keyspaceVersion: 0,
  traceId: 0,
};

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function newStore(): MemoryReplicaStore {
  return new MemoryReplicaStore(
    (a, b) => (a === '' ? b : latin1(encodeRecord(mergeRecords(decodeRecord(bytesOf(a)), decodeRecord(bytesOf(b)))))),
    (at, record) => recordHash(7, bytesOf(at), bytesOf(record)),
  );
}

type Step =
  | {
      readonly type: 'write';
      readonly at: 'a' | 'b';
      readonly key: string;
      readonly how: 'held' | 'nothing' | 'delete';
    }
  | { readonly type: 'exchange'; readonly at: 'a' | 'b' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      at: fc.constantFrom('a' as const, 'b' as const),
      key: fc.constantFrom('k', 'l', 'm', 'n'),
      how: fc.constantFrom('held' as const, 'nothing' as const, 'delete' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('exchange' as const), at: fc.constantFrom('a' as const, 'b' as const) }),
  },
);

function twoOwners(seed: number) {
  const random = seededRandom(seed);
  const world = new World({ random, delayMsMax: 20 });
  const stores = { a: newStore(), b: newStore() };
  let stream = 0;
  const machineOf = (self: 'a' | 'b', peer: NodeId): AntiEntropy => {
    const store = stores[self];
    const out = world.outOf(self);
    const machine = new AntiEntropy({
      self,
      store,
      out,
      random,
      header: () => HEADER,
      nextStream: () => ++stream,
      peers: () => [{ peer, group: 3, runs: [[0, 63]] }],
      ringEpoch: () => 1,
      reach: { reachable: () => true },
      options: { intervalMs: 1e9, keysPerMessage: 2 },
    });
    world.machines.set(self, {
      tick: (now) => machine.tick(now),
      receive: (from, message, now) => {
        if (message.kind !== 'replicate') return machine.receive(from, message as ExchangeMessage, now);
        store.merge(message.items, () =>
          out.send(from, { kind: 'replicate-reply', stream: message.stream, status: 'stored', reason: '' }),
        );
      },
    });
    return machine;
  };
  return { world, stores, machines: { a: machineOf('a', 'b'), b: machineOf('b', 'a') } };
}

test('after an exchange both hold the merge of all that was ever written, byte for byte', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(step, { maxLength: 40 }), (seed, steps) => {
      const { world, stores, machines } = twoOwners(seed);
      const all = newStore();
      let counter = 0;
      const write = ({ at, key, how }: Extract<Step, { type: 'write' }>): void => {
        const address = encodeAddress({
          slot: key.charCodeAt(0) % 2,
          keyspace: 0,
          generation: 0,
          key: bytesOf(key),
          subkey: bytesOf(''),
        });
        const held = stores[at].read(address);
        const record = applyWrite(held && decodeRecord(held), {
          dot: {
            actor: makeActor({ memberNumber: at === 'a' ? 1 : 2, tenureHigh: 3, tenureLow: 4 }),
            counter: ++counter,
          },
          hybridTime: counter,
          value: how === 'delete' ? 'tombstone' : bytesOf(`v${counter}`),
          supersedes: how === 'nothing' ? 'nothing' : 'held',
        });
        for (const store of [stores[at], all]) store.merge([{ address, record: encodeRecord(record) }], () => {});
      };
      const exchange = (at: 'a' | 'b'): void => {
        machines[at].memberReturned(at === 'a' ? 'b' : 'a', world.now);
        world.run(world.now + 20_000);
        expect(stores.a.show()).toBe(all.show());
        expect(stores.b.show()).toBe(all.show());
      };
      for (const one of steps) {
        if (one.type === 'write') write(one);
        else exchange(one.at);
      }
      exchange('b');
      const listed = machines.a.counters.keysListed + machines.b.counters.keysListed;
      exchange('a');
      expect(machines.a.counters.keysListed + machines.b.counters.keysListed).toBe(listed);
    }),
    { numRuns: 40 },
  );
});
