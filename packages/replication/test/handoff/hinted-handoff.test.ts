import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/handoff/hint.ts';
import { HintedHandoff } from '../../src/handoff/hinted-handoff.ts';
import { HANDOFF_DEFAULTS, type HandoffOptions, resolveHandoffOptions } from '../../src/handoff/options.ts';
import type { Message, NodeId, ReplicateMessage, ReplicateReplyMessage, RequestHeader } from '../../src/messages.ts';
import { item, latin1, MemoryReplicaStore } from '../support/memory-replica-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { Transcript } from '../support/transcript.ts';
import { World } from '../support/world.ts';

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

/** A sender driven by hand: what it sends is a list, replies are given to it. */
function byHand(options: HandoffOptions = {}) {
  const store = new MemoryReplicaStore();
  const sent: { to: NodeId; message: ReplicateMessage }[] = [];
  const wakes: number[] = [];
  let stream = 0;
  const handoff = new HintedHandoff({
    store,
    header,
    random: seededRandom(1),
    nextStream: () => ++stream,
    out: {
      send: (to, message) => sent.push({ to, message: message as ReplicateMessage }),
      wakeAt: (at) => wakes.push(at),
    },
    options: { startWithinMs: 0, ...options },
  });
  const reply = (over: Partial<ReplicateReplyMessage> = {}): ReplicateReplyMessage => ({
    kind: 'replicate-reply',
    stream: sent.at(-1)!.message.stream,
    status: 'stored',
    reason: '',
    ...over,
  });
  const left = (): string =>
    store.hintsKept.map(({ address, record }) => `${latin1(address).slice(2)}=${latin1(record)}`).join(' ');
  return { store, sent, wakes, handoff, reply, left };
}

describe('delivery of hints', () => {
  test('begins when the target is reachable, and removes hints once they are stored', () => {
    const { store, sent, handoff, reply, left } = byHand();
    store.keepHint('b', item(1, 'k', 'x'));
    store.keepHint('c', item(1, 'other', 'x'));
    handoff.tick(0);
    expect(sent).toEqual([]);
    handoff.reachable('b', 0);
    handoff.tick(0);
    expect(sent).toMatchObject([{ to: 'b', message: { purpose: 'handoff', durability: 'sync', items: [{}] } }]);
    expect(left()).toBe('k=x other=x');
    handoff.receive('b', reply(), 5);
    expect(left()).toBe('other=x');
    expect(handoff.counters.hintsDelivered).toBe(1);
  });

  test('starts within a second by default, without being asked again', () => {
    const { store, sent, wakes, handoff } = byHand({ startWithinMs: HANDOFF_DEFAULTS.startWithinMs });
    store.keepHint('b', item(1, 'k', 'x'));
    handoff.reachable('b', 100);
    handoff.tick(wakes.at(-1)!);
    expect(wakes.at(0)).toBeLessThan(1100);
    expect(sent).toHaveLength(1);
  });

  test('goes in bunches bounded by count and by bytes, one in flight, with a pause between them', () => {
    const { store, sent, handoff, reply } = byHand({ bunchCount: 3, bunchBytes: 50, pauseMs: 5 });
    for (const key of 'abcdefg') store.keepHint('b', item(1, key, 'xy'));
    store.keepHint('b', item(2, 'b'.repeat(90), 'z'));
    handoff.reachable('b', 0);
    for (let now = 0; now < 100; now++) {
      const before = sent.length;
      handoff.tick(now);
      handoff.tick(now);
      if (sent.length > before) handoff.receive('b', reply(), now);
    }
    expect(sent.map(({ message }) => message.items.length)).toEqual([3, 3, 1, 1]);
  });

  test('a hint that was replaced in flight stays, and goes next', () => {
    const { store, sent, handoff, reply, left } = byHand();
    store.keepHint('b', item(1, 'k', 'x'));
    handoff.reachable('b', 0);
    handoff.tick(0);
    store.keepHint('b', item(1, 'k', 'y'));
    handoff.receive('b', reply(), 1);
    expect(left()).toBe('k=xy');
    handoff.tick(6);
    expect(latin1(sent.at(-1)!.message.items[0]!.record)).toBe('xy');
    handoff.receive('b', reply(), 7);
    expect(left()).toBe('');
  });

  test('nothing is removed by a refusal, a foreign reply, a repeated one, or one that comes too late', () => {
    const { store, sent, handoff, reply, left } = byHand({ retryAfterMs: 1000 });
    store.keepHint('b', item(1, 'k', 'x'));
    handoff.reachable('b', 0);
    handoff.tick(0);
    handoff.receive('c', reply(), 1);
    handoff.receive('b', reply({ status: 'refused', reason: 'overload' }), 2);
    handoff.receive('b', reply(), 3);
    expect(left()).toBe('k=x');
    handoff.tick(1100);
    const late = reply();
    handoff.tick(1100 + HANDOFF_DEFAULTS.replyTimeoutMs);
    handoff.receive('b', late, 20_000);
    expect(left()).toBe('k=x');
    expect(handoff.counters).toMatchObject({ refusals: 1, timeouts: 1, bunchesSent: 2 });
    expect(sent).toHaveLength(2);
  });

  test('retries for ever, with waits that double up to a bound', () => {
    const options = resolveHandoffOptions({ retryAfterMs: 1000, retryAfterMsMax: 60_000 });
    for (let failures = 1; failures < 2000; failures++) {
      const wait = backoffMs(failures, options, seededRandom(failures));
      const full = Math.min(60_000, 1000 * 2 ** (failures - 1));
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
    }
  });

  test('a hint that is refused alone is set aside, kept, and does not hold up the others', () => {
    const { store, handoff, sent, reply, left } = byHand({ bunchCount: 4 });
    for (const key of 'abcdef') store.keepHint('b', item(1, key, 'x'));
    handoff.reachable('b', 0);
    for (let now = 0; now < 30_000; now += 100) {
      const before = sent.length;
      handoff.tick(now);
      if (sent.length === before) continue;
      const bad = sent.at(-1)!.message.items.some((sentItem) => latin1(sentItem.address).endsWith('b'));
      handoff.receive('b', bad ? reply({ status: 'refused', reason: 'corrupt' }) : reply(), now);
    }
    expect(left()).toBe('b=x');
    expect(handoff.progress()).toMatchObject([{ target: 'b', setAside: 1 }]);
    const tries = sent.length;
    for (let now = 30_000; now < 70_000; now += 100) handoff.tick(now);
    expect(sent.length).toBe(tries + 1);
  });

  test('a hint kept while the target is reachable is delivered after retryAfterMs; the sweep finds one nobody told of', () => {
    const { store, handoff, sent, reply } = byHand({ retryAfterMs: 1000, sweepIntervalMs: 10_000 });
    handoff.reachable('b', 0);
    handoff.tick(0);
    store.keepHint('b', item(1, 'k', 'x'));
    handoff.added('b', 500);
    handoff.tick(1499);
    expect(sent).toHaveLength(0);
    handoff.tick(1500);
    expect(sent).toHaveLength(1);
    handoff.receive('b', reply(), 1600);
    handoff.tick(1700);
    store.keepHint('b', item(1, 'l', 'x'));
    handoff.tick(10_000);
    handoff.tick(11_000);
    expect(sent).toHaveLength(2);
  });

  test('a store that fails to read is asked again later, and nothing is taken as delivered', () => {
    const { store, handoff, sent, wakes } = byHand();
    const hints = store.hints.bind(store);
    store.hints = () => {
      throw new Error('disk');
    };
    store.keepHint('b', item(1, 'k', 'x'));
    handoff.reachable('b', 0);
    handoff.tick(0);
    expect(handoff.counters.storeErrors).toBe(1);
    store.hints = hints;
    handoff.tick(wakes.at(-1)!);
    expect(sent).toHaveLength(1);
  });

  test('while hints are being removed it neither sends nor asks to be woken for what is past', () => {
    const { store, handoff, sent, wakes, reply } = byHand();
    let done = (): void => {};
    store.hold = (callback) => (done = callback);
    for (const key of 'ab') store.keepHint('b', item(1, key, 'x'));
    handoff.reachable('b', 0);
    handoff.tick(0);
    handoff.receive('b', reply(), 1);
    handoff.unreachable('b', 2);
    handoff.reachable('b', 3);
    wakes.length = 0;
    for (let now = 3; now < 50; now++) handoff.tick(now);
    expect(wakes.every((at) => at > 50)).toBe(true);
    done();
    handoff.tick(60);
    expect(sent).toHaveLength(1);
    expect(handoff.progress()).toMatchObject([{ phase: 'idle', nextTryMs: undefined }]);
  });
});

interface Pair {
  readonly world: World;
  readonly sender: MemoryReplicaStore;
  readonly receiver: MemoryReplicaStore;
  connect(up: boolean): void;
}

/** `a` with hints for `b`, which merges what it gets, and answers once that is durable. */
function pair(options: { seed: number; loss?: number; repetition?: number; handoff?: HandoffOptions }): Pair {
  const random = seededRandom(options.seed);
  const world = new World({ random, loss: options.loss ?? 0, repetition: options.repetition ?? 0, delayMsMax: 30 });
  const sender = new MemoryReplicaStore();
  const receiver = new MemoryReplicaStore();
  let stream = 0;
  const handoff = new HintedHandoff({
    store: sender,
    header,
    random,
    nextStream: () => ++stream,
    out: world.outOf('a'),
    options: options.handoff ?? {},
  });
  world.machines.set('a', {
    tick: (now) => handoff.tick(now),
    receive: (from, message, now) => handoff.receive(from, message as ReplicateReplyMessage, now),
  });
  const out = world.outOf('b');
  world.machines.set('b', {
    tick: () => {},
    receive: (from, message: Message) => {
      if (message.kind !== 'replicate') return;
      receiver.merge(message.items, () =>
        out.send(from, { kind: 'replicate-reply', stream: message.stream, status: 'stored', reason: '' }),
      );
    },
  });
  const connect = (up: boolean): void => {
    if (up) world.stopped.delete('b');
    else world.stopped.add('b');
    if (up) handoff.reachable('b', world.now);
    else handoff.unreachable('b', world.now);
  };
  world.at(0, () => handoff.tick(0));
  return { world, sender, receiver, connect };
}

describe('handoff between nodes', () => {
  test('transcript: delivery, a crash of the target midway, a hint replaced in flight', () => {
    const { world, sender, receiver, connect } = pair({ seed: 4, handoff: { bunchCount: 3 } });
    const script = new Transcript();
    world.onDelivery = (from, to, message) => script.message(world.now, from, to, message);
    const show = (): void => {
      const kept = sender.hintsKept.map((hint) => `${latin1(hint.address).slice(2)}=${latin1(hint.record)}`);
      script.line(world.now, `a keeps [${kept.join(' ')}], b holds [${receiver.show()}]`);
    };
    script.note('a keeps seven hints for b, which is away.');
    for (const key of ['apple', 'beet', 'corn', 'date', 'elder', 'fig', 'grape'])
      sender.keepHint('b', item(7, key, 'x'));
    world.run(100);
    show();
    script.note('b is reachable: the first bunch goes; each is removed once b has stored it.');
    connect(true);
    world.run(255);
    show();
    script.note('b crashes before it answers the second bunch. It stays with a, and goes again when b is back.');
    connect(false);
    world.run(5000);
    show();
    connect(true);
    script.note(
      'Meanwhile a newer write to fig replaced its hint: what was acknowledged is the older one, so fig goes again.',
    );
    world.onDelivery = (from, to, message) => {
      script.message(world.now, from, to, message);
      if (message.kind !== 'replicate' || !message.items.some(({ address }) => latin1(address).endsWith('fig'))) return;
      if (sender.hintsKept.some(({ record }) => latin1(record) === 'xy')) return;
      sender.keepHint('b', item(7, 'fig', 'y'));
      script.line(world.now, 'a keeps a newer hint for fig');
    };
    world.run(9000);
    show();
    script.expectGolden(new URL('handoff.golden.txt', import.meta.url));
  });

  test('under loss, repetition and crashes every hint ends up at its target, and is never in neither place', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          loss: fc.integer({ min: 0, max: 50 }),
          writes: fc.array(
            fc.record({
              at: fc.nat(20_000),
              key: fc.constantFrom(...'abcdefgh'),
              letter: fc.constantFrom(...'uvwxyz'),
            }),
            { minLength: 1, maxLength: 40 },
          ),
          crashes: fc.array(fc.record({ at: fc.nat(20_000), forMs: fc.integer({ min: 1, max: 3000 }) }), {
            maxLength: 6,
          }),
        }),
        ({ seed, loss, writes, crashes }) => {
          const { world, sender, receiver, connect } = pair({
            seed,
            loss: loss / 100,
            repetition: 0.2,
            handoff: { bunchCount: 3, replyTimeoutMs: 500, retryAfterMsMax: 2000 },
          });
          const expected = new MemoryReplicaStore();
          for (const { at, key, letter } of writes) {
            world.at(at, () => {
              sender.keepHint('b', item(1, key, letter));
              expected.put(1, key, letter);
            });
          }
          for (const { at, forMs } of crashes) {
            world.at(at, () => connect(false));
            world.at(at + forMs, () => connect(true));
          }
          connect(true);
          for (let now = 0; now <= 25_000; now += 100) {
            world.run(now);
            const union = new MemoryReplicaStore();
            union.merge([...sender.hintsKept], () => {});
            for (const [key, letters] of receiver.records) union.put(1, key.slice(2), letters);
            expect(union.show()).toBe(expected.show());
          }
          world.loss = 0;
          connect(true);
          world.run(60_000);
          expect(sender.hintsKept).toEqual([]);
          expect(receiver.show()).toBe(expected.show());
        },
      ),
      { numRuns: 25 },
    );
  });

  test('options that make no sense are refused', () => {
    expect(() => resolveHandoffOptions({ bunchCount: 0 })).toThrow(RangeError);
    expect(() => resolveHandoffOptions({ pauseMs: -1 })).toThrow(RangeError);
    expect(resolveHandoffOptions()).toEqual(HANDOFF_DEFAULTS);
  });
});
