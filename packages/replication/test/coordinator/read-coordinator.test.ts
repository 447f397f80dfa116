/** The goldens beside this file are the specification of a read; each test tells one story and compares. */
import { describe, expect, test } from 'vitest';
import { ReadCoordinator } from '../../src/coordinator/read-coordinator.ts';
import type { Message, NodeId, ReadOutcome } from '../../src/messages.ts';
import { decodeRecordContext } from '../../src/record-codec.ts';
import { ADDRESS, FakeReach, fetchReply, HEADER, QUORUM } from './fixtures.ts';
import { ReadScene } from './read-scene.ts';
import { BOTH, DAMAGED, DELETED, EXPIRED, NEW, OLD, SIBLING, STRIPPED } from './records.ts';

async function golden(scene: ReadScene, name: string): Promise<void> {
  await expect(scene.transcript).toMatchFileSnapshot(`./${name}.golden.txt`);
}

describe('a read', () => {
  test('asks R replicas, itself first, and answers when they have', async () => {
    const scene = new ReadScene('A plain read: R=2 of three, all alike');
    scene.start();
    scene.answers('A', NEW);
    scene.now = 2;
    scene.answers('B', NEW);
    await golden(scene, 'read-plain');
  });

  test('answers with the merge and repairs the owner that was behind', async () => {
    const scene = new ReadScene('B holds an older record: it is repaired after the answer');
    scene.start();
    scene.answers('A', NEW);
    scene.answers('B', OLD);
    await golden(scene, 'read-repair');
  });

  test('repairs absence, and repairs with tombstones', async () => {
    const scene = new ReadScene('Deleted at A, absent at B, old at C: the tombstone wins and is spread');
    scene.start({ consistency: { r: 3 } });
    scene.answers('A', DELETED);
    scene.answers('B', undefined);
    scene.answers('C', OLD);
    await golden(scene, 'read-repair-tombstone');
  });

  test('merges siblings, and repairs everybody who lacks one', async () => {
    const scene = new ReadScene('Two siblings: each owner lacks the other; both get the merge');
    scene.start();
    scene.answers('A', NEW);
    scene.answers('B', SIBLING);
    await golden(scene, 'read-siblings');
  });

  test('compares answers that come after its own', async () => {
    const scene = new ReadScene('Sampled for repair: C answers late and is ahead; A and B are repaired');
    scene.start({ repair: true });
    scene.answers('A', OLD);
    scene.answers('B', OLD);
    scene.now = 50;
    scene.answers('C', NEW);
    await golden(scene, 'read-late-answer');
  });

  test('goes on asking until the merge holds what the reader has seen', async () => {
    const scene = new ReadScene(
      'The reader has seen NEW: A and B are behind, so C is asked, and brings A and B up to date',
    );
    scene.start({ includes: decodeRecordContext(NEW) });
    scene.answers('A', OLD);
    scene.answers('B', undefined);
    scene.answers('C', NEW);
    await golden(scene, 'read-includes');
  });

  test('turns to fallbacks for what the reader has seen, and fails rather than be stale', async () => {
    const scene = new ReadScene('The reader has seen NEW, no owner has it; F does not either: the read fails');
    scene.reach.away.add('C');
    scene.start({ includes: decodeRecordContext(NEW), fallbacks: ['F'] });
    scene.answers('A', OLD);
    scene.answers('B', OLD);
    scene.answers('F', undefined, { role: 'fallback' });
    await golden(scene, 'read-includes-stale');
  });

  test('that waits for what the reader has seen ends at its deadline', async () => {
    const scene = new ReadScene('The reader has seen NEW; C, who holds it, never answers');
    scene.start({ includes: decodeRecordContext(NEW) });
    scene.answers('A', OLD);
    scene.answers('B', OLD);
    scene.at(6000);
    await golden(scene, 'read-includes-late');
  });

  test('asks one owner more when one is late', async () => {
    const scene = new ReadScene('A hedge: B is late, C is asked too; B is compared when it answers after all');
    scene.start();
    scene.answers('A', NEW);
    scene.at(20);
    scene.now = 22;
    scene.answers('C', NEW);
    scene.now = 400;
    scene.answers('B', OLD);
    await golden(scene, 'read-hedge');
  });

  test('replaces at once whom it loses and who refuses', async () => {
    const scene = new ReadScene('B goes and C refuses: the next is asked at once, at last a fallback');
    scene.start({ fallbacks: ['D'] });
    scene.answers('A', NEW);
    scene.loses('B');
    scene.refuses('C');
    scene.answers('D', undefined, { role: 'fallback' });
    await golden(scene, 'read-replaced');
  });

  test('is degraded when it needed a fallback, which is never repaired', async () => {
    const scene = new ReadScene('Two owners are down: a fallback counts, and the answer says so');
    scene.reach.away.add('B').add('C');
    scene.start({ fallbacks: ['D', 'E'] });
    scene.answers('D', NEW, { role: 'fallback' });
    scene.answers('A', OLD);
    await golden(scene, 'read-degraded');
  });

  test('counts no fallback in strict mode', async () => {
    const scene = new ReadScene(
      'Strict: a node that does not call itself an owner does not count, nor does one in doubt',
    );
    scene.start({ fallbacks: ['D'], consistency: { mode: 'strict' } });
    scene.answers('A', NEW);
    scene.answers('B', NEW, { role: 'fallback' });
    scene.answers('C', NEW, { doubt: true });
    await golden(scene, 'read-strict');
  });

  test('needs PR sure owners, whatever R has', async () => {
    const scene = new ReadScene('PR=2: an owner in doubt counts for R, not for PR');
    scene.start({ consistency: { pr: 2 } });
    scene.answers('A', NEW);
    scene.answers('B', NEW, { doubt: true });
    scene.answers('C', NEW);
    await golden(scene, 'read-primaries');
  });

  test('never merges a damaged record and asks somebody else', async () => {
    const scene = new ReadScene('B answers with a damaged record: it counts as a refusal');
    scene.start();
    scene.answers('A', OLD);
    scene.answers('B', DAMAGED);
    scene.answers('C', OLD);
    await golden(scene, 'read-damaged');
  });

  test('counts a node once', async () => {
    const scene = new ReadScene('Repeated and foreign answers');
    scene.start();
    scene.answers('B', OLD);
    scene.answers('B', NEW);
    scene.answers('Z', NEW);
    scene.answers('A', OLD);
    await golden(scene, 'read-duplicates');
  });

  test('fails when R have not answered in time', async () => {
    const scene = new ReadScene('Everybody is silent, then it is too late');
    scene.start({ fallbacks: ['D'] });
    scene.answers('A', NEW);
    for (const now of [20, 40, 500, 1000]) scene.at(now);
    scene.answers('B', NEW);
    await golden(scene, 'read-timeout');
  });

  test('fails at once when R cannot be reached', async () => {
    const scene = new ReadScene('One survivor of three, R=2, no fallback');
    scene.reach.away.add('B').add('C');
    scene.start();
    scene.stop();
    scene.start();
    await golden(scene, 'read-unreachable');
  });
});

test('an expired value that one replica has stripped is no reason for a repair', () => {
  const scene = new ReadScene('');
  scene.start();
  scene.answers('A', EXPIRED);
  scene.answers('B', STRIPPED);
  expect(scene.coordinator.counters).toMatchObject({ ok: 1, readRepairs: 0 });
});

test('a lone damaged answer of another node is not passed on', () => {
  const scene = new ReadScene('', 'Z');
  scene.start({ consistency: { r: 1 }, row: ['A'] });
  scene.answers('A', DAMAGED);
  expect(scene.coordinator.counters).toMatchObject({ ok: 0, failed: 1, corruptAnswers: 1 });
});

test('sinks that answer within the call are served: entries reused, each outcome once', () => {
  const held: Record<NodeId, Uint8Array | undefined> = { A: NEW, B: SIBLING, C: undefined };
  const outcomes: [number, ReadOutcome][] = [];
  const repaired: NodeId[] = [];
  const send = (to: NodeId, message: Message): void => {
    if (message.kind === 'replicate') repaired.push(to);
    else if (message.kind === 'fetch') coordinator.receive(to, fetchReply(message.stream, held[to]), 0);
  };
  const begin = (stream: number): void => {
    const consistency = { ...QUORUM, r: 1 + (stream % 3) };
    const row = ['A', 'B', 'C'];
    const base = { stream, header: HEADER, consistency, address: ADDRESS, row, fallbacks: [], isOwner: true };
    coordinator.start({ ...base, repair: stream % 2 === 0 }, 0);
  };
  const finish = (stream: number, outcome: ReadOutcome): void => {
    outcomes.push([stream, outcome]);
    if (stream < 50) begin(stream + 1);
  };
  const coordinator = new ReadCoordinator({
    self: 'A',
    reach: new FakeReach(),
    out: { send, finish, wakeAt: () => {} },
  });
  begin(1);
  expect(outcomes.map(([stream]) => stream)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  for (const [stream, outcome] of outcomes) {
    const record = stream % 3 === 0 ? NEW : BOTH;
    expect(outcome).toEqual({ status: 'ok', record, answered: 1 + (stream % 3), degraded: false });
  }
  expect(coordinator.inFlight).toBe(0);
  expect(repaired).toContain('C');
});

test('an owner is repaired once for all that one read has found', () => {
  const scene = new ReadScene('');
  scene.start({ repair: true });
  scene.answers('A', NEW);
  scene.answers('B', OLD);
  scene.answers('C', NEW);
  expect(scene.coordinator.counters.readRepairs).toBe(1);
});
