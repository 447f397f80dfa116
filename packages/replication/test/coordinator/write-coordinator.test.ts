/** The goldens beside this file are the specification of a write; each test tells one story and compares. */
import { describe, expect, test } from 'vitest';
import { WriteCoordinator } from '../../src/coordinator/write-coordinator.ts';
import type { WriteOutcome } from '../../src/messages.ts';
import { ADDRESS, FakeReach, fetchReply, HEADER, QUORUM, replicateReply } from './fixtures.ts';
import { DAMAGED, NEW } from './records.ts';
import { WriteScene } from './write-scene.ts';

async function golden(scene: WriteScene, name: string): Promise<void> {
  await expect(scene.transcript).toMatchFileSnapshot(`./${name}.golden.txt`);
}

describe('a write', () => {
  test('answers after W copies, its own among them only once durable, and waits for the last in silence', async () => {
    const scene = new WriteScene('A plain write: W=2 of three, all well');
    scene.start();
    scene.now = 1;
    scene.merged();
    scene.now = 3;
    scene.replies('B');
    scene.now = 4;
    scene.stored();
    scene.now = 9;
    scene.replies('C');
    await golden(scene, 'write-plain');
  });

  test('sends a fallback a hint for an owner out of reach', async () => {
    const scene = new WriteScene('One owner is down; a fallback keeps a hint for it and counts for W');
    scene.reach.away.add('C');
    scene.start({ fallbacks: ['D', 'E'], consistency: { w: 3 } });
    scene.merged();
    scene.stored();
    scene.replies('B');
    scene.replies('D');
    await golden(scene, 'write-fallback');
  });

  test('keeps the hint itself, in the batch of the write, where there is no fallback', async () => {
    const scene = new WriteScene('Three nodes, one down: the coordinator keeps the hint with its own copy');
    scene.reach.away.add('C');
    scene.start();
    scene.merged();
    scene.stored();
    scene.replies('B');
    await golden(scene, 'write-hint-at-coordinator');
  });

  test('is indeterminate when W is not met in time, and every silent owner gets a hint', async () => {
    const scene = new WriteScene('W=2 is not met by the timeout');
    scene.start();
    scene.merged();
    scene.stored();
    scene.at(1000);
    scene.now = 1001;
    scene.replies('B');
    await golden(scene, 'write-timeout');
  });

  test('fails before anything happened when too few nodes can be reached', async () => {
    const scene = new WriteScene('W=2, but the coordinator is alone: nothing is written');
    scene.reach.away.add('B').add('C').add('D');
    scene.start({ fallbacks: ['D'] });
    await golden(scene, 'write-unreachable');
  });

  test('counts no fallback in strict mode and leaves hints with the coordinator', async () => {
    const scene = new WriteScene('Strict: no fallback is asked; the hint stays with the coordinator');
    scene.reach.away.add('C');
    scene.start({ fallbacks: ['D'], consistency: { mode: 'strict' } });
    scene.merged();
    scene.stored();
    scene.replies('D');
    scene.replies('B', 'overload');
    await golden(scene, 'write-strict');
  });

  test('keeps a hint for an owner that stays silent after the answer', async () => {
    const scene = new WriteScene('The answer is given at W; the third owner never acknowledges and gets a hint');
    scene.start({ fallbacks: ['D'] });
    scene.merged();
    scene.stored();
    scene.replies('B');
    scene.at(500);
    scene.at(1000);
    await golden(scene, 'write-late-hint');
  });

  test('turns to the next fallback when a refusal or a broken connection delays W', async () => {
    const scene = new WriteScene(
      'Before the answer a lost owner is replaced, also twice; after it, it gets a hint here',
    );
    scene.start({ fallbacks: ['D', 'E'] });
    scene.merged();
    scene.replies('B', 'overload');
    scene.loses('D');
    scene.stored();
    scene.replies('E');
    scene.loses('C');
    await golden(scene, 'write-replaced');
  });

  test('turns to a fallback when owners are silent, without giving them up', async () => {
    const scene = new WriteScene('Both other owners are paused: after half the time fallbacks are asked beside them');
    scene.start({ fallbacks: ['D', 'E'] });
    scene.merged();
    scene.stored();
    scene.at(500);
    scene.replies('D');
    scene.now = 700;
    scene.replies('B');
    scene.at(1000);
    await golden(scene, 'write-silent-owners');
  });

  test('counts a node once, whatever it says how often', async () => {
    const scene = new WriteScene('Repeated and foreign replies: W=3 needs three distinct nodes');
    scene.start({ consistency: { w: 3 } });
    scene.replies('B');
    scene.merged();
    scene.replies('B');
    scene.replies('B');
    scene.replies('Z');
    scene.replies('A');
    scene.stored();
    scene.stored();
    scene.replies('C');
    await golden(scene, 'write-duplicates');
  });

  test('coordinated by a fallback counts its own copy as a hint', async () => {
    const scene = new WriteScene('The coordinator D is a fallback: its copy is a hint for the absent owner', 'D');
    scene.reach.away.add('A');
    scene.start({ fallbacks: ['D', 'E'] });
    scene.merged();
    scene.stored();
    scene.replies('B');
    scene.replies('C');
    await golden(scene, 'write-by-fallback');
  });

  test('is indeterminate when the local engine fails and nobody can make up for it', async () => {
    const scene = new WriteScene('The local sync fails: not counted; W=3 is out of reach');
    scene.start({ consistency: { w: 3 } });
    scene.merged();
    scene.replies('B');
    scene.stored(new Error('fdatasync: EIO'));
    scene.replies('C');
    await golden(scene, 'write-engine-error');
  });

  test('reads R contexts first when told to', async () => {
    const scene = new WriteScene('The coordinator is not first in the row: it reads contexts, then writes', 'B');
    scene.start({ preRead: true });
    scene.context('A', undefined);
    scene.context('C', undefined);
    scene.merged();
    await golden(scene, 'write-pre-read');
  });

  test('goes on without contexts after a while in sloppy mode, and counts it', async () => {
    const scene = new WriteScene('Nobody answers the read before the write; sloppy goes on without', 'B');
    scene.start({ preRead: true });
    scene.at(200);
    expect(scene.coordinator.counters.preReadSkipped).toBe(1);
    await golden(scene, 'write-pre-read-skipped');
  });

  test('fails without writing when contexts cannot be read in strict mode', async () => {
    const scene = new WriteScene('Strict: no R contexts, no write', 'B');
    scene.start({ preRead: true, consistency: { mode: 'strict' } });
    scene.loses('A');
    scene.loses('C');
    await golden(scene, 'write-pre-read-strict');
  });

  test('of which the local replica finds nothing to write is answered at once, and sent to nobody', async () => {
    const scene = new WriteScene('A condition that does not hold');
    scene.start();
    scene.unchanged();
    scene.merged();
    await golden(scene, 'write-unchanged');
  });

  test('of which nothing was to be written is still answered once when its time was over', async () => {
    const scene = new WriteScene('A condition that does not hold, found out too late');
    scene.start();
    scene.at(1000);
    scene.unchanged();
    await golden(scene, 'write-unchanged-late');
  });

  test('that is under way when the node stops is indeterminate, with hints', async () => {
    const scene = new WriteScene('The node stops');
    scene.start();
    scene.merged();
    scene.stored();
    scene.stop();
    scene.start();
    await golden(scene, 'write-stop');
  });
});

test('sinks that answer within the call are served: entries reused, each outcome once', () => {
  const outcomes: [number, WriteOutcome][] = [];
  const reach = new FakeReach();
  const begin = (stream: number): void => {
    const consistency = { ...QUORUM, w: 1 + (stream % 3) };
    const operation = { type: 'put', value: Uint8Array.of(7), supersedes: 'held' } as const;
    const row = ['A', 'B', 'C'];
    const base = { stream, header: HEADER, consistency, address: ADDRESS, operation, row, fallbacks: ['D'] };
    coordinator.start({ ...base, preRead: stream % 2 === 0 }, 0);
  };
  const coordinator: WriteCoordinator = new WriteCoordinator({
    self: 'A',
    reach,
    out: {
      coordinate: (stream) => {
        coordinator.merged(stream, Uint8Array.of(1), Uint8Array.of(2), 0);
        coordinator.stored(stream, undefined, 0);
      },
      send: (to, message) => {
        if (message.kind === 'fetch') coordinator.receive(to, fetchReply(message.stream, undefined), 0);
        else if (to === 'B') coordinator.unreachable(to, 0);
        else if (message.kind === 'replicate') coordinator.receive(to, replicateReply(message.stream), 0);
      },
      keepHint: () => {},
      finish: (stream, outcome) => {
        outcomes.push([stream, outcome]);
        if (stream < 50) begin(stream + 1);
      },
      wakeAt: () => {},
    },
  });
  begin(1);
  expect(outcomes.map(([stream]) => stream)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  for (const [stream, outcome] of outcomes) {
    expect(outcome).toMatchObject({ status: 'ok' });
    if (outcome.status === 'ok') expect(outcome.acknowledged).toBeGreaterThanOrEqual(1 + (stream % 3));
  }
  expect(coordinator.inFlight).toBe(0);
});

test('a refusal by the local replica is a failure, an engine error is indeterminate', () => {
  for (const [reason, status] of [
    ['limit', 'failed'],
    ['engine', 'indeterminate'],
  ] as const) {
    const scene = new WriteScene('');
    scene.start();
    scene.coordinator.coordinateFailed(1, reason, 'no', 0);
    expect(scene.transcript).toContain(`finish: ${status} (${reason}): no`);
    expect(scene.coordinator.inFlight).toBe(0);
  }
});

test('a write whose time is over before it began fails, and a strict one is not run by a stranger', () => {
  const late = new WriteScene('');
  late.start({ header: { ...HEADER, remainingMs: 0 } });
  expect(late.transcript).toContain('finish: failed (quorum): no time left');
  const stranger = new WriteScene('', 'Z');
  stranger.start({ consistency: { mode: 'strict' } });
  expect(stranger.transcript).toContain('finish: failed (refused): Z is not an owner');
});

test('one durable copy is the own one; more make the others sync too', () => {
  const one = new WriteScene('');
  one.start({ consistency: { durability: 'os', dw: 1 } });
  one.merged();
  expect(one.transcript).toContain('coordinate, sync');
  expect(one.transcript).toContain('send B: replicate, os');
  const two = new WriteScene('');
  two.start({ consistency: { durability: 'os', dw: 2 } });
  two.merged();
  expect(two.transcript).toContain('send B: replicate, sync');
});

test('a state that comes after the timeout is hinted to all, for nobody else has it', () => {
  const scene = new WriteScene('');
  scene.start();
  scene.at(1000);
  scene.merged();
  expect(scene.coordinator.counters).toMatchObject({ indeterminate: 1, hintsKept: 2 });
  expect(scene.coordinator.inFlight).toBe(0);
});

test('a damaged record is never handed to the write that asked for contexts', () => {
  const scene = new WriteScene('', 'B');
  scene.start({ preRead: true });
  scene.context('A', DAMAGED);
  expect(scene.transcript).not.toContain('coordinate');
  scene.context('C', NEW);
  expect(scene.transcript).toContain('coordinate, sync, having seen 1 record(s)');
});
