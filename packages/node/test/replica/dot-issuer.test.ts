import { makeActor, VersionVector, type Dot } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { LocalNode, type LocalNodeOptions, WriteBatch } from './local-node.ts';

const SLOT = 77;

/** Issues a dot and commits what goes with it. */
function issue(node: LocalNode, slot = SLOT): Dot | undefined {
  let dot: Dot | undefined;
  node.dots.whenReady((error) => {
    if (error !== undefined) return;
    const batch = new WriteBatch();
    dot = node.dots.issue(slot, batch).dot;
    node.engine.commit(batch, 'memory', () => {});
  });
  node.settle();
  return dot;
}

const start = (options: LocalNodeOptions = {}) => LocalNode.start({ leaseCounters: 8, ...options });

describe('dots', () => {
  it('ascend, in one tenure of the slot', async () => {
    const node = await start();
    const dots = Array.from({ length: 30 }, () => issue(node) as Dot);
    expect(dots.map(({ counter }) => counter)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(new Set(dots.map(({ actor }) => actor)).size).toBe(1);
  });

  it('no counter is issued twice over crashes at any time, nor any hybrid time goes back', async () => {
    const node = await start();
    let highest = 0;
    let latest = 0;
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 1 + (round % 5) * 2; i++) {
        node.dots.whenReady((error) => {
          if (error !== undefined) return;
          const { dot, hybridTime } = node.dots.issue(SLOT + i, new WriteBatch());
          expect(dot.counter).toBeGreaterThan(highest);
          expect(hybridTime).toBeGreaterThan(latest);
          highest = dot.counter;
          latest = hybridTime;
        });
        if (i % 2 === 0) node.settle();
      }
      node.wallMs -= 500;
      node.crash(round % 2 === 0 ? 'drop-all' : 'random');
      await node.open();
    }
    expect(highest).toBeGreaterThan(20);
  });

  it('a clean restart keeps the tenure; a crash ends it, and counters go on above the lease', async () => {
    const node = await start();
    const before = issue(node) as Dot;
    await node.restart();
    const kept = issue(node) as Dot;
    expect(kept.actor).toBe(before.actor);
    expect(kept.counter).toBeGreaterThan(8);
    node.crash();
    await node.open();
    const after = issue(node) as Dot;
    expect(after.actor).not.toBe(before.actor);
    expect(after.counter).toBeGreaterThan(kept.counter);
  });

  it('a tenure of an earlier era that peers still name ends nothing', async () => {
    const node = await start();
    const before = issue(node) as Dot;
    node.crash('keep-all');
    await node.open();
    const after = issue(node) as Dot;
    const incoming = VersionVector.of([[before.actor, before.counter]]);
    expect(node.dots.observe(SLOT, incoming, undefined, new WriteBatch())).toBe(false);
    expect(issue(node)?.actor).toBe(after.actor);
  });

  it('a tenure of its own that it does not know ends the present one, once', async () => {
    const node = await start();
    const before = issue(node) as Dot;
    const unknown = makeActor({ memberNumber: 1, tenureHigh: 4, tenureLow: 4 });
    const incoming = VersionVector.of([[unknown, 3]]);
    expect(node.dots.observe(SLOT, incoming, undefined, new WriteBatch())).toBe(true);
    const after = issue(node) as Dot;
    expect(after.actor).not.toBe(before.actor);
    expect(node.dots.observe(SLOT, incoming, undefined, new WriteBatch())).toBe(false);
    expect(node.dots.isNamedIn(incoming)).toBe(true);
    expect(
      node.dots.isNamedIn(VersionVector.of([[makeActor({ memberNumber: 2, tenureHigh: 4, tenureLow: 4 }), 1]])),
    ).toBe(false);
  });

  it('what a client says that it has seen ends the tenure only when it was issued and is not held', async () => {
    const node = await start();
    const { actor, counter } = issue(node) as Dot;
    const context = (at: number) => VersionVector.of([[actor, at]]);
    node.dots.observeClient(SLOT, context(counter), context(counter), new WriteBatch());
    node.dots.observeClient(SLOT, context(counter + 1000), undefined, new WriteBatch());
    expect(issue(node)?.actor).toBe(actor);
    node.dots.observeClient(SLOT, context(counter), undefined, new WriteBatch());
    expect(issue(node)?.actor).not.toBe(actor);
  });
});

describe('the lease', () => {
  it('holds dots back until it is durable, all of them', async () => {
    const node = await start();
    const ready: number[] = [];
    for (let i = 0; i < 3; i++) node.dots.whenReady(() => ready.push(i));
    node.turn();
    expect(ready).toEqual([]);
    node.sync();
    expect(ready).toEqual([0, 1, 2]);
  });

  it('is extended before it ends, so that nobody waits', async () => {
    const node = await start();
    issue(node);
    for (let i = 0; i < 20; i++) {
      let isReady = false;
      node.dots.whenReady(() => {
        isReady = true;
        node.dots.issue(SLOT, new WriteBatch());
      });
      expect(isReady).toBe(true);
      node.settle();
    }
  });

  it('a clock that jumps ahead while it is extended makes it wait for another extension, not go without', async () => {
    const node = await start();
    const ready: (Error | undefined)[] = [];
    node.dots.whenReady((error) => {
      node.dots.issue(SLOT, new WriteBatch());
      ready.push(error);
    });
    node.wallMs += 3_600_000;
    node.settle();
    expect(ready).toEqual([undefined]);
  });

  it('that cannot be had is told to each who waits', async () => {
    const node = await start();
    node.disk.failNextSync('.log', { dropPages: true });
    const told: boolean[] = [];
    for (let i = 0; i < 2; i++) node.dots.whenReady((error) => told.push(error !== undefined));
    node.settle();
    node.dots.whenReady((error) => told.push(error !== undefined));
    expect(told).toEqual([true, true, true]);
  });
});
