/** The router is driven by hand; what it does is recorded. */
import type { Consistency, Message, WriteOperation, WriteOutcome } from '@kvd/replication';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RoutedWrite, WriteRouter } from '../src/write-router.ts';

const CONSISTENCY: Consistency = {
  n: 3,
  r: 2,
  w: 2,
  pr: 0,
  pw: 0,
  dw: 0,
  mode: 'sloppy',
  durability: 'sync',
  timeoutMs: 4000,
};
const OK: WriteOutcome = {
  status: 'ok',
  context: Buffer.from('c'),
  acknowledged: 2,
  hinted: 0,
  result: { applied: true, value: undefined },
};
const PUT: WriteOperation = { type: 'put', value: Buffer.from('v'), supersedes: 'held' };
const failed = (reason: 'limit' | 'refused' | 'engine' | 'overload' | 'unreachable'): WriteOutcome => ({
  status: 'failed',
  reason,
  detail: reason,
});
const UNSURE: WriteOutcome = { status: 'indeterminate', reason: 'quorum', detail: '1 of 2' };

class Scene {
  readonly down = new Set<string>();
  readonly sent: string[] = [];
  readonly ids: number[] = [];
  readonly operations: WriteOperation[] = [];
  readonly outcomes: WriteOutcome[] = [];
  readonly router: WriteRouter;
  now = 0;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(self = 'n0') {
    this.router = new WriteRouter(
      self,
      { reachable: (node) => !this.down.has(node) },
      {
        send: (to: string, message: Message) => {
          this.sent.push(to);
          if (message.kind !== 'forward') return;
          this.ids.push(message.header.id.n);
          this.operations.push(message.operation);
        },
        coordinateHere: () => void this.sent.push('here'),
        finish: (_stream, outcome) => void this.outcomes.push(outcome),
        wakeAt: (at) => {
          this.#wakeAt = Math.min(this.#wakeAt, at);
        },
      },
    );
  }

  start(candidates = ['n1', 'n2', 'n3'], operation: WriteOperation = PUT): this {
    const id = { entry: 'n0', incarnation: 1, n: 77 };
    const header = { id, remainingMs: 4000, ringEpoch: 1, slotPhase: 0, keyspace: 0, keyspaceVersion: 1, traceId: 0 };
    const write: RoutedWrite = {
      stream: 6,
      header,
      consistency: CONSISTENCY,
      address: Buffer.from('address'),
      operation,
      candidates,
    };
    this.router.start(write, this.now);
    return this;
  }

  lose(node: string): void {
    this.down.add(node);
    this.router.unreachable(node, this.now);
  }

  answer(from: string, outcome: WriteOutcome): void {
    this.router.answer(from, 6, outcome, this.now);
  }

  /** Ticks whenever a wake-up that was asked for is due. */
  advance(ms: number): void {
    for (const end = this.now + ms; ; ) {
      this.now = Math.min(end, Math.max(this.now, this.#wakeAt));
      if (this.#wakeAt > this.now) return;
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.router.tick(this.now);
    }
  }
}

describe('a routed write', () => {
  it('goes to the first of the preference list that can be reached', () => {
    const scene = new Scene();
    scene.down.add('n1');
    scene.start();
    expect(scene.sent).toEqual(['n2']);
    scene.answer('n2', OK);
    expect(scene.outcomes).toEqual([OK]);
    expect(scene.router.inFlight).toBe(0);
  });

  it('is coordinated here when this node comes first', () => {
    const scene = new Scene('n2');
    scene.down.add('n1');
    scene.start();
    expect(scene.sent).toEqual(['here']);
  });

  it('goes to the next under the same id when the connection goes', () => {
    const scene = new Scene().start();
    scene.lose('n1');
    expect(scene.sent).toEqual(['n1', 'n2']);
    expect(scene.ids).toEqual([77, 77]);
    scene.answer('n2', OK);
    expect(scene.outcomes).toEqual([OK]);
  });

  it('goes to the next when the coordinator stays silent, and takes what is ok of either', () => {
    const scene = new Scene().start();
    scene.advance(999);
    expect(scene.sent).toEqual(['n1']);
    scene.advance(1);
    expect(scene.sent).toEqual(['n1', 'n2']);
    scene.answer('n1', OK);
    scene.answer('n2', UNSURE);
    expect(scene.outcomes).toEqual([OK]);
  });

  it('tells no client ok while the stand-in may still run the write over what the client writes next', () => {
    const scene = new Scene().start();
    scene.advance(1000);
    scene.answer('n1', OK);
    expect(scene.outcomes).toEqual([]);
    scene.lose('n2');
    expect(scene.outcomes).toEqual([OK]);
    const woken = new Scene().start();
    woken.advance(1000);
    woken.answer('n2', OK);
    woken.advance(2999);
    expect(woken.sent).toEqual(['n1', 'n2']);
    expect(woken.outcomes).toEqual([]);
    woken.advance(1);
    expect(woken.outcomes).toEqual([OK]);
  });

  it('that adds to a counter tells the next that the first may have run it, but not after a refusal', () => {
    const scene = new Scene().start(undefined, { type: 'add', delta: 1n });
    scene.answer('n1', failed('engine'));
    scene.lose('n2');
    expect(scene.sent).toEqual(['n1', 'n2', 'n3']);
    expect(scene.operations.map((each) => 'repeated' in each)).toEqual([false, false, true]);
  });

  it('that adds to a counter tells the next so, too, when the first is silent', () => {
    const scene = new Scene().start(undefined, { type: 'add', delta: 1n });
    scene.advance(1000);
    expect(scene.operations.map((each) => 'repeated' in each)).toEqual([false, true]);
  });

  it('of which a second run would do harm goes to no other once a first may have begun', () => {
    const scene = new Scene().start(undefined, { type: 'append', value: Buffer.from('v') });
    scene.advance(3999);
    expect([scene.sent, scene.outcomes]).toEqual([['n1'], []]);
    scene.advance(1);
    expect(scene.outcomes).toMatchObject([{ status: 'indeterminate' }]);
    const lost = new Scene().start(undefined, { type: 'append', value: Buffer.from('v') });
    lost.lose('n1');
    expect([lost.sent, lost.outcomes.map(({ status }) => status)]).toEqual([['n1'], ['indeterminate']]);
    const refused = new Scene().start(undefined, { type: 'append', value: Buffer.from('v') });
    refused.answer('n1', failed('engine'));
    expect(refused.sent).toEqual(['n1', 'n2']);
  });

  it('goes to the next when a coordinator refuses, which is no doubt', () => {
    const scene = new Scene().start();
    for (const node of ['n1', 'n2', 'n3']) scene.answer(node, failed('engine'));
    expect(scene.sent).toEqual(['n1', 'n2', 'n3']);
    expect(scene.outcomes).toEqual([{ status: 'failed', reason: 'refused', detail: 'engine' }]);
  });

  it('ends with what the client did wrong at once, but not as "failed" once another may have begun', () => {
    const certain = new Scene().start();
    certain.answer('n1', failed('limit'));
    expect(certain.outcomes).toEqual([failed('limit')]);
    const doubtful = new Scene().start();
    doubtful.lose('n1');
    doubtful.answer('n2', failed('limit'));
    expect(doubtful.outcomes).toMatchObject([{ status: 'indeterminate', detail: 'limit' }]);
  });

  it('fails at once when nobody can be reached', () => {
    const scene = new Scene();
    for (const node of ['n1', 'n2', 'n3']) scene.down.add(node);
    scene.start();
    expect(scene.outcomes).toMatchObject([{ status: 'failed', reason: 'unreachable' }]);
  });

  it('waits to its end for who was asked and may still answer, then is indeterminate', () => {
    const scene = new Scene().start(['n1', 'n2']);
    scene.advance(3999);
    expect(scene.sent).toEqual(['n1', 'n2']);
    expect(scene.outcomes).toEqual([]);
    scene.advance(1);
    expect(scene.outcomes).toMatchObject([{ status: 'indeterminate' }]);
  });

  it('ends before its time when all who were asked are gone', () => {
    const scene = new Scene().start(['n1', 'n2']);
    scene.lose('n1');
    scene.lose('n2');
    expect(scene.outcomes).toMatchObject([{ status: 'indeterminate' }]);
  });

  it('an answer of who was not asked, or to what has ended, changes nothing', () => {
    const scene = new Scene().start();
    scene.answer('n2', OK);
    expect(scene.outcomes).toEqual([]);
    scene.answer('n1', OK);
    scene.answer('n1', UNSURE);
    expect(scene.outcomes).toEqual([OK]);
  });

  it('is indeterminate when the node stops', () => {
    const scene = new Scene().start();
    scene.router.stop();
    expect(scene.outcomes).toMatchObject([{ status: 'indeterminate', reason: 'stopping' }]);
  });
});

describe('whatever happens', () => {
  const node = fc.constantFrom('n1', 'n2', 'n3', 'n4');
  const outcome = fc.constantFrom<WriteOutcome>(OK, UNSURE, failed('limit'), failed('refused'), failed('overload'));
  const event = fc.oneof(
    fc.record({ kind: fc.constant('answer' as const), node, outcome }),
    fc.record({ kind: fc.constant('lose' as const), node }),
    fc.record({ kind: fc.constant('return' as const), node }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(1500) }),
  );

  it('there is exactly one outcome, in time, and "failed" only when certainly nothing happened', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 15 }), fc.subarray(['n1', 'n2', 'n3', 'n4']), (events, down) => {
        const scene = new Scene();
        for (const name of down) scene.down.add(name);
        scene.start(['n1', 'n2', 'n3', 'n4']);
        // What each node that was asked has said of itself: it certainly did nothing, or not.
        const certainly = new Map<string, boolean>();
        for (const happened of events) {
          if (happened.kind === 'advance') scene.advance(happened.ms);
          else if (happened.kind === 'lose') scene.lose(happened.node);
          else if (happened.kind === 'return') scene.down.delete(happened.node);
          else if (scene.sent.includes(happened.node)) {
            if (scene.outcomes.length === 0 && !certainly.has(happened.node)) {
              certainly.set(happened.node, happened.outcome.status === 'failed');
            }
            scene.answer(happened.node, happened.outcome);
          } else scene.answer(happened.node, happened.outcome);
          expect(scene.outcomes.length).toBeLessThanOrEqual(1);
        }
        scene.advance(4000);
        expect(scene.outcomes).toHaveLength(1);
        expect(scene.router.inFlight).toBe(0);
        expect(new Set(scene.sent).size).toBe(scene.sent.length);
        if (scene.outcomes[0]?.status !== 'failed') return;
        for (const asked of scene.sent) expect(certainly.get(asked), `${asked} was asked`).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
