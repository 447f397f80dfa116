import type { ForwardMessage, ReadOutcome } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { addressOf, DriverCluster } from './driver-cluster.ts';
import { textOf } from './replica/local-node.ts';

const textsOf = (outcomes: ReadOutcome[]) =>
  outcomes.map((outcome) => (outcome.status === 'ok' ? textOf(outcome.record as Buffer) : outcome.status));

describe('a write', () => {
  it('is acknowledged once W nodes have synced it, and not before', async () => {
    const cluster = await DriverCluster.start(3);
    cluster.agree();
    const [first, second] = cluster.rowOf('a') as [string, string, string];
    const outcomes = cluster.node(first).write('a', '1');
    cluster.deliver();
    for (const { local } of cluster.nodes.values()) local.turn();
    while (cluster.deliver());
    expect(outcomes).toEqual([]);
    cluster.node(first).local.sync();
    while (cluster.deliver());
    expect(outcomes).toEqual([]);
    cluster.node(second).local.settle();
    cluster.deliver();
    expect(outcomes).toMatchObject([{ status: 'ok', acknowledged: 2, hinted: 0 }]);
  });

  it('at any node is read at any other', async () => {
    const cluster = await DriverCluster.start(5);
    for (const id of cluster.nodes.keys()) {
      const written = cluster.node(id).write('a', `by ${id}`);
      cluster.settle();
      expect(written).toMatchObject([{ status: 'ok' }]);
      for (const reader of cluster.nodes.values()) {
        const read = reader.read('a');
        cluster.settle();
        expect(textsOf(read)).toEqual([`by ${id}`]);
      }
    }
  });

  it('for an owner that is away is kept as a hint and brought to it when it is back', async () => {
    const cluster = await DriverCluster.start(3);
    const [first, , third] = cluster.rowOf('a') as [string, string, string];
    cluster.cut(third);
    const outcomes = cluster.node(first).write('a', '1');
    cluster.settle();
    expect(outcomes).toMatchObject([{ status: 'ok', acknowledged: 2 }]);
    expect(cluster.node(third).local.read('a')).toBeUndefined();
    cluster.join(third);
    cluster.advance(2000);
    expect(cluster.node(third).local.read('a')).toBe('1');
    expect(cluster.node(first).local.store.hints(third, { count: 9, bytes: 9999 })).toEqual([]);
  });

  it('that an owner does not acknowledge, though it can be reached, is brought to it soon after', async () => {
    const cluster = await DriverCluster.start(3);
    cluster.agree();
    for (const { driver } of cluster.nodes.values()) driver.tick();
    cluster.advance(1000);
    const [first, , third] = cluster.rowOf('a') as [string, string, string];
    const outcomes = cluster.node(first).write('a', '1', { timeoutMs: 200 });
    cluster.wire = cluster.wire.filter(({ to }) => to !== third);
    cluster.settle();
    expect(outcomes).toMatchObject([{ status: 'ok' }]);
    expect(cluster.node(third).local.read('a')).toBeUndefined();
    cluster.advance(2500);
    expect(cluster.node(third).local.read('a')).toBe('1');
  });

  it('ends as soon as too few can be reached, and not at its deadline', async () => {
    const cluster = await DriverCluster.start(3);
    cluster.agree();
    const [first, , third] = cluster.rowOf('a') as [string, string, string];
    const written = cluster.node(first).write('a', '1', { w: 3, mode: 'strict' });
    const read = cluster.node(first).read('a', { r: 3, mode: 'strict' });
    cluster.cut(third);
    expect(written).toMatchObject([{ status: 'indeterminate', reason: 'quorum' }]);
    expect(read).toMatchObject([{ status: 'failed' }]);
  });

  it('goes to the next coordinator when the first is lost, and ends once', async () => {
    const cluster = await DriverCluster.start(4);
    const row = cluster.rowOf('a') as [string, string, string, string];
    const outcomes = cluster.node(row[3]).write('a', '1');
    cluster.cut(row[0]);
    cluster.settle();
    expect(outcomes).toMatchObject([{ status: 'ok' }]);
  });

  it('with durability memory ends too', async () => {
    const cluster = await DriverCluster.start(3);
    const outcomes = cluster.node('n1').write('a', '1', { durability: 'memory' });
    cluster.settle();
    expect(outcomes).toMatchObject([{ status: 'ok' }]);
    for (const { driver } of cluster.nodes.values()) expect(driver.inFlight).toBe(0);
  });

  it('that runs out of time here says why, not only that nobody answered', async () => {
    const cluster = await DriverCluster.start(3);
    const [first] = cluster.rowOf('a') as [string];
    // Before it has asked the others what they hold, certainly nothing has happened.
    const early = cluster.node(first).write('a', '1', { w: 3, mode: 'strict' });
    cluster.time.advance(6000);
    expect(early).toMatchObject([{ status: 'failed', reason: 'quorum' }]);
    cluster.agree();
    const late = cluster.node(first).write('a', '1', { w: 3, mode: 'strict' });
    cluster.time.advance(6000);
    expect(late).toMatchObject([{ status: 'indeterminate', reason: 'quorum' }]);
    expect(late[0]).not.toMatchObject({ detail: expect.stringContaining('no coordinator answered') });
    cluster.node(first).local.settle();
    expect(cluster.node(first).driver.inFlight).toBe(0);
  });
});

describe('a forwarded write', () => {
  async function forwarded(): Promise<{ cluster: DriverCluster; forward: ForwardMessage; from: string; to: string }> {
    const cluster = await DriverCluster.start(4);
    const row = cluster.rowOf('a') as [string, string, string, string];
    cluster.node(row[3]).write('a', '1');
    const sent = cluster.said.find(({ message }) => message.kind === 'forward');
    return { cluster, forward: sent?.message as ForwardMessage, from: row[3], to: row[0] };
  }

  const repliesIn = (cluster: DriverCluster) => cluster.said.filter(({ message }) => message.kind === 'forward-reply');

  it('is run once, however often it comes', async () => {
    const { cluster, forward, from, to } = await forwarded();
    cluster.post(from, to, forward);
    cluster.deliver();
    cluster.post(from, to, forward);
    cluster.settle();
    expect(cluster.node(to).local.replica.counters.coordinated).toBe(1);
    expect(repliesIn(cluster)).toHaveLength(1);
  });

  it('that comes again after its end is answered with what it had', async () => {
    const { cluster, forward, from, to } = await forwarded();
    cluster.settle();
    cluster.node(to).write('a', '2');
    cluster.settle();
    cluster.post(from, to, forward);
    cluster.settle();
    const [first, second] = repliesIn(cluster);
    expect(second?.message).toEqual(first?.message);
    expect(cluster.node(to).local.read('a')).toBe('2');
  });

  it('is refused, certainly undone, by a node whose engine has failed; another one does it', async () => {
    const cluster = await DriverCluster.start(4);
    const row = cluster.rowOf('a') as [string, string, string, string];
    cluster.node(row[0]).isFailed = true;
    const outcomes = cluster.node(row[3]).write('a', '1');
    cluster.settle();
    expect(repliesIn(cluster)[0]?.message).toMatchObject({ outcome: { status: 'failed', reason: 'engine' } });
    expect(outcomes).toMatchObject([{ status: 'ok' }]);
    expect(cluster.node(row[0]).local.replica.counters.coordinated).toBe(0);
  });

  it('that a paused coordinator finds in its socket when it wakes is refused: it may have been run elsewhere', async () => {
    const { cluster, forward, from, to } = await forwarded();
    cluster.wire = [];
    cluster.ageMs = 2500;
    cluster.post(from, to, forward);
    cluster.deliver();
    cluster.ageMs = 0;
    cluster.settle();
    expect(repliesIn(cluster)[0]?.message).toMatchObject({ outcome: { status: 'failed', reason: 'refused' } });
    expect(cluster.node(to).local.replica.counters.coordinated).toBe(0);
  });

  it('that makes no sense is refused and harms nobody', async () => {
    const { cluster, forward, from, to } = await forwarded();
    cluster.wire = [];
    const wrong: Partial<ForwardMessage>[] = [
      { address: Buffer.from('?') },
      { address: Buffer.alloc(20, 0xff) },
      { consistency: { ...forward.consistency, n: 0 } },
      { consistency: { ...forward.consistency, w: 9 } },
    ];
    for (const [i, part] of wrong.entries()) {
      cluster.post(from, to, { ...forward, ...part, stream: 1002 + 4 * i });
      cluster.settle();
      expect(repliesIn(cluster)[i]?.message).toMatchObject({ outcome: { status: 'failed', reason: 'refused' } });
    }
  });
});

describe('stop', () => {
  it('ends every request once and leaves no timer behind, also for what the disk answers later', async () => {
    const cluster = await DriverCluster.start(3);
    const [first] = cluster.rowOf('a') as [string];
    const { driver, local } = cluster.node(first);
    for (const node of cluster.nodes.values()) node.driver.tick();
    const writes = cluster.node(first).write('a', '1');
    const reads = cluster.node(first).read('a', { r: 3 });
    for (const node of cluster.nodes.values()) node.driver.stop();
    expect(writes).toMatchObject([{ status: 'indeterminate', reason: 'stopping' }]);
    expect(reads).toHaveLength(1);
    local.settle();
    cluster.settle();
    expect(cluster.time.pending).toBe(0);
    expect(driver.inFlight).toBe(0);
    expect([writes.length, reads.length]).toEqual([1, 1]);
    expect(cluster.node(first).write('a', '2')).toMatchObject([{ status: 'failed', reason: 'stopping' }]);
    expect(cluster.node(first).read('a')).toMatchObject([{ status: 'failed', reason: 'stopping' }]);
  });

  it('keeps hints for owners that have not acknowledged', async () => {
    const cluster = await DriverCluster.start(3);
    cluster.agree();
    const [first, second, third] = cluster.rowOf('a') as [string, string, string];
    cluster.node(first).write('a', '1');
    cluster.node(first).driver.stop();
    cluster.node(first).local.settle();
    expect([...cluster.node(first).local.store.hintTargets()]).toEqual([second, third].sort());
  });
});

describe('wake-ups', () => {
  it('a deadline is kept although an earlier wake-up of another machine was due', async () => {
    const cluster = await DriverCluster.start(3);
    const [first, second, third] = cluster.rowOf('a') as [string, string, string];
    const { driver } = cluster.node(first);
    driver.tick();
    cluster.settle();
    const outcomes = cluster.node(first).read('a', { r: 3, mode: 'strict', timeoutMs: 130 });
    cluster.wire = cluster.wire.filter(({ to }) => to !== second && to !== third);
    cluster.time.advance(135);
    expect(outcomes).toMatchObject([{ status: 'failed' }]);
  });
});

describe('the entry', () => {
  it('never asks for more copies than the ring keeps', async () => {
    const cluster = await DriverCluster.start(2, { replicas: 2 });
    const { entry } = cluster.node('n1');
    expect(entry.consistency({})).toMatchObject({ n: 2, r: 2, w: 2 });
    expect(entry.consistency({ n: 1 })).toMatchObject({ n: 1, r: 1, w: 1 });
    expect(entry.consistency({ n: 3 })).toContain('N 3');
    expect(entry.consistency({ w: 3 })).toContain('W=3');
    expect(entry.consistency({ n: 1, pw: 2 })).toContain('PW=2');
    expect(entry.consistency({ timeoutMs: 60_000 })).toContain('TIMEOUT');
  });

  it('reads its own store alone when asked to', async () => {
    const cluster = await DriverCluster.start(3);
    cluster.node('n1').local.replicate('a', cluster.node('n2').local.coordinate('a', '1').state as Buffer);
    expect(textOf(cluster.node('n1').entry.readLocal(Buffer.from('a')))).toBe('1');
    expect(cluster.node('n3').entry.readLocal(Buffer.from('a'))).toBeUndefined();
    expect(cluster.node('n1').local.replica.read(addressOf('a'))).toBeDefined();
  });
});
