import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../src/anti-entropy/context.ts';
import { AntiEntropy, type ExchangeMessage } from '../../src/anti-entropy/exchange.ts';
import type { SlotRun } from '../../src/anti-entropy/leaves.ts';
import { type AntiEntropyOptions, resolveAntiEntropyOptions } from '../../src/anti-entropy/options.ts';
import type { Message, NodeId, RequestHeader } from '../../src/messages.ts';
import { address, item, latin1, MemoryReplicaStore } from '../support/memory-replica-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { Transcript } from '../support/transcript.ts';
import { World } from '../support/world.ts';

const SLOTS = 64;

function header(remainingMs: number): RequestHeader {
  return {
    id: { entry: 'a', incarnation: 1, n: 1 },
    remainingMs,
    ringEpoch: 1,
    slotPhase: 0,
    keyspace: 0,
    keyspaceVersion: 0,
    traceId: 0,
  };
}

interface Owner {
  readonly store: MemoryReplicaStore;
  readonly machine: AntiEntropy;
  readonly agreed: Agreement[];
  epoch: number;
}

interface Setup {
  readonly world: World;
  readonly owners: Map<NodeId, Owner>;
  owner(id: NodeId): Owner;
}

interface SetupOptions {
  readonly seed?: number;
  readonly loss?: number;
  readonly repetition?: number;
  readonly runs?: readonly SlotRun[];
  readonly names?: readonly NodeId[];
  readonly options?: AntiEntropyOptions;
  readonly newStore?: () => MemoryReplicaStore;
}

/** Owners of the same slots, each with an AntiEntropy and a node around it that merges what is replicated to it. */
function setup(given: SetupOptions = {}): Setup {
  const { seed = 1, names = ['a', 'b'], runs = [[0, SLOTS - 1]] as const } = given;
  const random = seededRandom(seed);
  const world = new World({ random, loss: given.loss ?? 0, repetition: given.repetition ?? 0, delayMsMax: 20 });
  const owners = new Map<NodeId, Owner>();
  let stream = 0;
  for (const id of names) {
    const store = given.newStore?.() ?? new MemoryReplicaStore();
    const out = world.outOf(id);
    const agreed: Agreement[] = [];
    const machine = new AntiEntropy({
      self: id,
      store,
      out,
      random,
      header,
      nextStream: () => ++stream,
      peers: () => names.filter((peer) => peer !== id).map((peer) => ({ peer, group: 3, runs })),
      ringEpoch: () => owners.get(id)!.epoch,
      reach: { reachable: (node) => !world.stopped.has(node) },
      onAgreed: (agreement) => agreed.push(agreement),
      // The tests that are about intervals set one; the others begin their rounds by hand.
      options: { pauseMs: 1, intervalMs: 1e9, ...given.options },
    });
    owners.set(id, { store, machine, agreed, epoch: 1 });
    world.machines.set(id, {
      tick: (now) => machine.tick(now),
      receive: (from, message, now) => {
        if (message.kind !== 'replicate') return machine.receive(from, message as ExchangeMessage, now);
        store.merge(message.items, (error) =>
          out.send(from, {
            kind: 'replicate-reply',
            stream: message.stream,
            status: error ? 'refused' : 'stored',
            reason: error ? 'failed' : '',
          }),
        );
      },
    });
  }
  return { world, owners, owner: (id) => owners.get(id)! };
}

/** One round of `from` with `to`, until it ends. */
function exchange({ world, owner }: Setup, from: NodeId = 'a', to: NodeId = 'b'): void {
  owner(from).machine.memberReturned(to, world.now);
  world.run(world.now + 20_000);
}

describe('an exchange', () => {
  test('transcript: nothing differs, one key of many differs, both sides differ', () => {
    const given = setup();
    const { world, owner } = given;
    const script = new Transcript();
    world.onDelivery = (from, to, message) => script.message(world.now, from, to, message);
    for (const id of ['a', 'b']) {
      for (let index = 0; index < 100; index++) owner(id).store.put(index % 10, `key${index}`, 'x');
    }
    script.note('Both hold the same hundred keys in ten slots: only leaves travel.');
    exchange(given);
    script.note('b has missed a write to key42: one slot differs, its ten keys are listed, one record travels.');
    owner('a').store.put(2, 'key42', 'y');
    exchange(given);
    script.note(
      'Each has what the other lacks, and siblings of key7: a merges what b holds first, and sends the merge.',
    );
    owner('a').store.put(7, 'only-a', 'p').put(7, 'key7', 'q');
    owner('b').store.put(7, 'only-b', 'r').put(7, 'key7', 's').put(50, 'alone', 't');
    exchange(given);
    script.note('And again: equal.');
    exchange(given);
    expect(owner('a').store.show()).toBe(owner('b').store.show());
    script.expectGolden(new URL('exchange.golden.txt', import.meta.url));
  });

  test('what the peer holds already in full is not sent back to it', () => {
    const given = setup();
    given.owner('a').store.put(1, 'k', 'x');
    given.owner('b').store.put(1, 'k', 'xy');
    exchange(given);
    expect(given.owner('a').store.show()).toBe('1/k=xy');
    expect(given.owner('a').machine.counters).toMatchObject({ recordsReceived: 1, recordsSent: 0 });
  });

  test('agreement is told of equal slots as runs, and of repaired slots once they are', () => {
    const given = setup({
      runs: [
        [0, 3],
        [8, 9],
      ],
      options: { slotsPerMessage: 5 },
    });
    given.owner('a').store.put(2, 'k', 'x').put(100, 'not shared', 'x');
    exchange(given);
    expect(given.owner('a').agreed.map(({ fromSlot, toSlot }) => `${fromSlot}-${toSlot}`)).toEqual([
      '0-1',
      '3-3',
      '8-8',
      '2-2',
      '9-9',
    ]);
    expect(given.owner('b').store.show()).toBe('2/k=x');
  });

  test('goes through large slots page by page, whatever the limits', () => {
    const given = setup({ options: { keysPerMessage: 7, messageBytes: 60 } });
    for (let index = 0; index < 100; index++) {
      given.owner('a').store.put(1, `a${index}`, 'x');
      given.owner('b').store.put(1, index % 3 === 0 ? `a${index}` : `b${index}`, 'xyz');
    }
    exchange(given);
    expect(given.owner('a').store.show()).toBe(given.owner('b').store.show());
    expect(given.owner('a').store.records.size).toBe(166);
  });

  test('leaves both ends as they were when the ring epochs differ', () => {
    const given = setup();
    given.owner('a').store.put(1, 'k', 'x');
    given.owner('b').epoch = 2;
    exchange(given);
    expect(given.owner('b').store.show()).toBe('');
    expect(given.owner('a').machine.counters.ends).toMatchObject({ refused: 1 });
    expect(given.owner('a').agreed).toEqual([]);
  });

  test("ends when this node's own ring moves on, or the peer goes", () => {
    for (const [end, happen] of [
      ['epoch', (given: Setup) => void (given.owner('a').epoch = 2)],
      ['unreachable', (given: Setup) => void given.world.stopped.add('b')],
    ] as const) {
      const given = setup();
      given.owner('a').store.put(1, 'k', 'x');
      given.world.onDelivery = (_from, _to, message) => message.kind === 'exchange-leaves-reply' && happen(given);
      exchange(given);
      expect(given.owner('a').machine.counters.ends[end]).toBe(1);
    }
  });

  test('ends after a wait that is too long; the next interval tries again', () => {
    const given = setup({ options: { intervalMs: 60_000, replyTimeoutMs: 10_000 } });
    given.owner('a').store.put(1, 'k', 'x');
    given.world.link = () => false;
    exchange(given);
    expect(given.owner('a').machine.counters.ends).toMatchObject({ timeout: 1, complete: 0 });
    given.world.link = () => true;
    given.world.run(150_000);
    expect(given.owner('b').store.show()).toBe('1/k=x');
  });

  test('each interval all peers are compared with, one after the other', () => {
    const given = setup({ names: ['a', 'b', 'c', 'd'], options: { intervalMs: 1000 } });
    const { world, owner } = given;
    const peers: (NodeId | undefined)[] = [];
    world.onDelivery = (from, to) => from === 'a' && peers.at(-1) !== to && peers.push(to);
    world.at(0, () => owner('a').machine.tick(0));
    world.run(3500);
    const { rounds, ends } = owner('a').machine.counters;
    expect(rounds).toBeGreaterThanOrEqual(9);
    expect(ends.complete).toBe(rounds);
    expect(new Set(peers.slice(0, 3))).toEqual(new Set(['b', 'c', 'd']));
  });

  test('a return that flaps does not put the round off', () => {
    const { world, owner } = setup();
    for (let now = 0; now < 4000; now += 100) {
      world.run(now);
      owner('a').machine.memberReturned('b', now);
    }
    expect(owner('a').machine.counters.rounds).toBeGreaterThanOrEqual(1);
  });
});

describe('an exchange with a store that fails', () => {
  const put = (given: Setup): void => {
    for (const slot of [1, 2, 3]) given.owner('a').store.put(slot, `k${slot}`, 'x');
    for (const slot of [1, 2, 3]) given.owner('b').store.put(slot, `l${slot}`, 'x');
  };
  const slotsAgreed = (given: Setup): Set<number> =>
    new Set(given.owner('a').agreed.flatMap(({ fromSlot, toSlot }) => [fromSlot, toSlot]));

  test('a record that the asker cannot read is not agreed on, and all the rest is repaired', () => {
    const given = setup();
    put(given);
    given.owner('a').store.unreadable.add(latin1(address(2, 'k2')));
    exchange(given);
    expect(given.owner('b').store.show()).toBe('1/k1=x 1/l1=x 2/l2=x 3/k3=x 3/l3=x');
    expect(given.owner('a').machine.counters).toMatchObject({ storeErrors: 1, slotsFailed: 1 });
    expect(slotsAgreed(given).has(2)).toBe(false);
  });

  test('a record that the answerer cannot read is not taken for absent: its slot is given up', () => {
    const given = setup();
    put(given);
    given.owner('b').store.unreadable.add(latin1(address(2, 'l2')));
    exchange(given);
    expect(given.owner('a').store.show()).toBe('1/k1=x 1/l1=x 2/k2=x 3/k3=x 3/l3=x');
    expect(given.owner('a').machine.counters.slotsFailed).toBe(1);
    expect(slotsAgreed(given).has(2)).toBe(false);
    expect(slotsAgreed(given).has(3)).toBe(true);
  });

  test('a leaf that cannot be read counts as differing at the answerer, and is passed over at the asker', () => {
    for (const [id, agreed] of [
      ['a', false],
      ['b', true],
    ] as const) {
      const given = setup();
      put(given);
      given.owner(id).store.unreadableLeaves.add(2);
      exchange(given);
      expect(slotsAgreed(given).has(2)).toBe(agreed);
      expect(given.owner('a').store.show().includes('l2')).toBe(agreed);
    }
  });

  test('a merge that fails ends the slot, and nothing is sent of it', () => {
    const given = setup();
    put(given);
    given.owner('a').store.failMerges = true;
    exchange(given);
    expect(given.owner('a').machine.counters).toMatchObject({ slotsFailed: 3, storeErrors: 3, recordsSent: 0 });
    expect(given.owner('a').machine.counters.ends.complete).toBe(1);
  });

  test('a peer that refuses what it wanted is not agreed with', () => {
    const given = setup();
    put(given);
    given.owner('b').store.failMerges = true;
    exchange(given);
    expect(given.owner('a').machine.counters.slotsFailed).toBe(3);
    expect([1, 2, 3].some((slot) => slotsAgreed(given).has(slot))).toBe(false);
  });

  test('an answer to a merge that took too long changes nothing any more', () => {
    const given = setup({ options: { replyTimeoutMs: 1000 } });
    put(given);
    let done = (): void => {};
    given.owner('a').store.hold = (callback) => (done = callback);
    exchange(given);
    expect(given.owner('a').machine.counters.ends.timeout).toBe(1);
    const { sent } = given.world;
    done();
    expect(given.world.sent).toBe(sent);
  });
});

describe('an exchange with a peer that breaks the rules', () => {
  /** Asks alone, and is answered by hand. */
  function asking(): {
    machine: AntiEntropy;
    store: MemoryReplicaStore;
    last: () => Message;
    answer: (message: object) => void;
  } {
    const store = new MemoryReplicaStore().put(1, 'k', 'x');
    const sent: Message[] = [];
    let stream = 0;
    const machine = new AntiEntropy({
      self: 'a',
      store,
      random: seededRandom(1),
      header,
      nextStream: () => ++stream,
      out: { send: (_to, message) => sent.push(message), wakeAt: () => {} },
      peers: () => [{ peer: 'b', group: 3, runs: [[0, SLOTS - 1]] }],
      ringEpoch: () => 1,
      reach: { reachable: () => true },
      options: { pauseMs: 0, returnedAfterMs: 0 },
    });
    machine.memberReturned('b', 0);
    machine.tick(0);
    const last = (): Message => sent.at(-1)!;
    const answer = (message: object): void =>
      machine.receive('b', { stream: last().stream, status: 'ok', ...message } as ExchangeMessage, 1);
    return { machine, store, last, answer };
  }

  const empty = new Uint8Array(0);
  const keys = { kind: 'exchange-keys-reply', wanted: [], items: [], covered: empty };

  test.each([
    ['an item of another slot', { items: [item(2, 'k', 'x')] }],
    ['an item past what it covered', { items: [item(1, 'z', 'x')], covered: address(1, 'k') }],
    ['a wish for more than was listed', { wanted: [address(1, 'k'), address(1, 'l')] }],
    ['an address without a slot', { items: [{ address: Buffer.from('x'), record: empty }] }],
  ])('%s ends the round, unmerged', (_what, reply) => {
    const { machine, store, answer } = asking();
    answer({ kind: 'exchange-leaves-reply', differing: [1] });
    answer({ ...keys, ...reply });
    expect(machine.counters.ends.protocol).toBe(1);
    expect(store.show()).toBe('1/k=x');
  });

  test('differing slots that were not asked about are passed over', () => {
    const { machine, answer } = asking();
    answer({ kind: 'exchange-leaves-reply', differing: [SLOTS + 5, -1, 1.5 + SLOTS] });
    expect(machine.counters).toMatchObject({ slotsDiffering: 0, ends: { complete: 1 } });
  });

  test('questions about slots not shared, unsorted keys, and ranges turned round are refused or harmless', () => {
    const { machine, last } = asking();
    const hash = [0, 0, 0, 1] as const;
    const ask = {
      kind: 'exchange-keys',
      stream: 77,
      ringEpoch: 1,
      group: 3,
      slot: 1,
      after: empty,
      until: empty,
      keys: [],
    } as const;
    for (const wrong of [
      { slot: SLOTS },
      { group: 2 },
      { ringEpoch: 2 },
      {
        keys: [
          { address: address(1, 'b'), hash },
          { address: address(1, 'a'), hash },
        ],
      },
      { keys: [{ address: address(2, 'b'), hash }] },
    ]) {
      machine.receive('b', { ...ask, ...wrong }, 1);
      expect(last()).toMatchObject({ kind: 'exchange-keys-reply', stream: 77, status: 'refused', items: [] });
    }
    machine.receive('c', ask, 1);
    expect(last()).toMatchObject({ status: 'refused' });
    machine.receive(
      'b',
      { kind: 'exchange-leaves', stream: 78, ringEpoch: 1, group: 3, fromSlot: 9, toSlot: 0, leaves: [] },
      1,
    );
    expect(last()).toMatchObject({ status: 'ok', differing: [] });
  });

  test('replies that repeat, belong to others, or to nothing, change nothing', () => {
    const { machine, last, answer } = asking();
    machine.receive('c', { kind: 'exchange-leaves-reply', stream: last().stream, status: 'ok', differing: [] }, 1);
    machine.receive('b', { kind: 'replicate-reply', stream: last().stream, status: 'stored', reason: '' }, 1);
    expect(machine.counters.ends.complete).toBe(0);
    answer({ kind: 'exchange-leaves-reply', differing: [] });
    answer({ kind: 'exchange-leaves-reply', differing: [1] });
    expect(machine.counters).toMatchObject({ slotsDiffering: 0, ends: { complete: 1 } });
  });
});

/** Some keys of few slots, with letters that one side, the other, or both hold. */
const contents = fc.array(
  fc.record({
    slot: fc.constantFrom(0, 1, 2, SLOTS - 1),
    key: fc.constantFrom(...'abcdefghijkl', 'longer-key', 'longer-kez'),
    letter: fc.constantFrom(...'pqrstu'),
    side: fc.constantFrom('a', 'b', 'both'),
  }),
  { maxLength: 60 },
);

describe('properties', () => {
  const limits = fc.record({
    slotsPerMessage: fc.constantFrom(1, 3, 1024),
    keysPerMessage: fc.constantFrom(1, 2, 5, 512),
    messageBytes: fc.constantFrom(20, 40, 100, 262_144),
    pauseMs: fc.constantFrom(0, 1),
  });

  function fill(
    given: Setup,
    written: readonly { slot: number; key: string; letter: string; side: string }[],
  ): MemoryReplicaStore {
    const union = new MemoryReplicaStore();
    for (const { slot, key, letter, side } of written) {
      union.put(slot, key, letter);
      for (const id of ['a', 'b']) if (side === id || side === 'both') given.owner(id).store.put(slot, key, letter);
    }
    return union;
  }

  test('after one exchange over a lossless channel both stores are their union, by a bounded number of messages', () => {
    fc.assert(
      fc.property(fc.nat(), contents, limits, (seed, written, options) => {
        const given = setup({ seed, options });
        const union = fill(given, written).show();
        exchange(given);
        expect(given.owner('a').store.show()).toBe(union);
        expect(given.owner('b').store.show()).toBe(union);
        const { sent } = given.world;
        const chunks = Math.ceil(
          SLOTS / Math.min(options.slotsPerMessage, Math.max(1, Math.floor(options.messageBytes / 19))),
        );
        expect(sent).toBeLessThanOrEqual(2 * chunks + 4 * 4 + 4 * given.owner('a').store.records.size);
        exchange(given);
        expect(given.world.sent - sent).toBeLessThanOrEqual(2 * chunks);
        expect(given.owner('a').machine.counters.ends).toMatchObject({
          complete: 2,
          protocol: 0,
          refused: 0,
          timeout: 0,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('under loss and repetition, with writes on both sides, rounds converge and nothing is ever lost', () => {
    fc.assert(
      fc.property(fc.nat(), contents, limits, fc.integer({ min: 5, max: 40 }), (seed, written, options, loss) => {
        const given = setup({
          seed,
          loss: loss / 100,
          repetition: 0.2,
          options: { ...options, intervalMs: 2000, replyTimeoutMs: 200 },
        });
        const { world, owner } = given;
        const early = written.filter((_, index) => index % 3 > 0);
        fill(given, early);
        for (const [index, write] of written.entries()) {
          if (index % 3 === 0) world.at(index * 100, () => void fill(given, [write]));
        }
        for (const id of ['a', 'b']) world.at(0, () => owner(id).machine.tick(0));
        const seen = { a: '', b: '' };
        for (let now = 0; now <= 7000; now += 500) {
          world.run(now);
          for (const id of ['a', 'b'] as const) {
            for (const held of seen[id].split(' ')) {
              const [at = '', letters = ''] = held.split('=');
              const kept =
                owner(id)
                  .store.show()
                  .split(' ')
                  .find((entry) => entry.startsWith(`${at}=`)) ?? '';
              expect([...letters].every((letter) => kept.includes(letter))).toBe(true);
            }
            seen[id] = owner(id).store.show();
          }
        }
        world.loss = 0;
        world.run(16_000);
        const union = fill(setup(), written).show();
        expect(owner('a').store.show()).toBe(union);
        expect(owner('b').store.show()).toBe(union);
      }),
      { numRuns: 20 },
    );
  });

  test('a round ends even when both sides are written to all the time', () => {
    const given = setup({ options: { keysPerMessage: 2 } });
    const { world, owner } = given;
    let n = 0;
    world.onDelivery = (_from, to) => {
      for (let key = 0; key < 5; key++) owner(to).store.put(1, `${String.fromCharCode(97 + (n % 26))}${n++}`, 'x');
    };
    owner('a').store.put(1, 'k', 'x');
    owner('a').machine.memberReturned('b', 0);
    world.run(30_000);
    expect(owner('a').machine.counters.ends.complete).toBe(1);
  });
});

test('options that make no sense are refused', () => {
  expect(() => resolveAntiEntropyOptions({ slotsPerMessage: 5000 })).toThrow(RangeError);
  expect(() => resolveAntiEntropyOptions({ intervalMs: 0 })).toThrow(RangeError);
});
