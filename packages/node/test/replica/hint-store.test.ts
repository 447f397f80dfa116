/** Hints in the engine, as the handoff machine sees them through LocalReplicaStore. */
import { LsmError } from '@kvd/lsm';
import { decodeRecord, type Hint, slotOfAddress } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { addressOf, LocalNode, textOf } from './local-node.ts';
import { written } from './records.ts';

const ALL = { count: 1000, bytes: 10_000_000 };

/** A node of two with one replica, and keys that the other one owns. */
async function fallback(count = 1): Promise<{ node: LocalNode; keys: string[] }> {
  const node = await LocalNode.start({ members: 2, replicas: 1 });
  node.dots.whenReady(() => {});
  node.settle();
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    if (!node.ring.isOwner(slotOfAddress(addressOf(`k${i}`)), 'n1')) keys.push(`k${i}`);
  }
  return { node, keys };
}

const texts = (hints: readonly Hint[]) => hints.map(({ record }) => textOf(record));

function remove(node: LocalNode, hints: readonly Hint[]): (Error | undefined)[] {
  const told: (Error | undefined)[] = [];
  node.store.removeHints(hints, (error) => told.push(error));
  node.settle();
  return told;
}

describe('hints by value', () => {
  it('are kept for the target, acknowledged after the sync, and delivered as records', async () => {
    const { node, keys } = await fallback();
    const told = node.replicate(keys[0] as string, written('1'), { hintFor: 'n2' });
    node.turn();
    expect(told).toEqual([]);
    node.sync();
    expect(told).toEqual(['stored']);
    expect(node.store.hintTargets()).toEqual(['n2']);
    const [hint] = node.store.hints('n2', ALL);
    expect(hint).toMatchObject({ target: 'n2', address: addressOf(keys[0] as string) });
    expect(texts(node.store.hints('n2', ALL))).toEqual(['1']);
    expect(node.store.hints('n3', ALL)).toEqual([]);
  });

  it('what comes later is merged into the hint that is there, never put over it', async () => {
    const { node, keys } = await fallback();
    const [key] = keys as [string];
    const older = written('1');
    node.replicate(key, written('2', { counter: 2, on: older }), { hintFor: 'n2' });
    node.replicate(key, older, { hintFor: 'n2' });
    node.replicate(key, written('s', { member: 3 }), { hintFor: 'n2' });
    const hints = node.store.hints('n2', ALL);
    expect(hints).toHaveLength(1);
    expect(decodeRecord((hints[0] as Hint).record).values).toHaveLength(2);
  });

  it('one that was replaced while it was on its way stays', async () => {
    const { node, keys } = await fallback();
    const [key] = keys as [string];
    node.replicate(key, written('1'), { hintFor: 'n2' });
    const inFlight = node.store.hints('n2', ALL);
    node.replicate(key, written('2', { counter: 2, on: written('1') }), { hintFor: 'n2' });
    expect(remove(node, inFlight)).toEqual([undefined]);
    expect(texts(node.store.hints('n2', ALL))).toEqual(['2']);
    remove(node, node.store.hints('n2', ALL));
    expect(node.store.hints('n2', ALL)).toEqual([]);
    expect(node.store.hintTargets()).toEqual([]);
  });

  it('the removal ends the tenure of the slot; a removal of nothing does not', async () => {
    const { node, keys } = await fallback();
    const [key] = keys as [string];
    const actorOf = (state: Buffer | undefined) => decodeRecord(state as Buffer).values[0]?.dot.actor;
    const first = actorOf(node.coordinate(key, '1', { hintFor: ['n2'] }).state);
    const inFlight = node.store.hints('n2', ALL);
    expect(actorOf(node.coordinate(key, '2', { hintFor: ['n2'] }).state)).toBe(first);
    remove(node, inFlight);
    expect(actorOf(node.coordinate(key, '3', { hintFor: ['n2'] }).state)).toBe(first);
    remove(node, node.store.hints('n2', ALL));
    const second = actorOf(node.coordinate(key, '4', { hintFor: ['n2'] }).state);
    expect(second).not.toBe(first);
  });

  it('the tenure that ended with a removal stays ended after a clean restart', async () => {
    const { node, keys } = await fallback();
    const [key] = keys as [string];
    const first = node.coordinate(key, '1', { hintFor: ['n2'] }).state as Buffer;
    node.settle();
    remove(node, node.store.hints('n2', ALL));
    await node.restart();
    const write = node.coordinate(key, '2', { hintFor: ['n2'] });
    node.settle();
    expect(decodeRecord(write.state as Buffer).values[0]?.dot.actor).not.toBe(decodeRecord(first).values[0]?.dot.actor);
  });

  it('a coordinating fallback without an absent owner keeps a hint for the first of the row', async () => {
    const { node, keys } = await fallback();
    node.coordinate(keys[0] as string, '1');
    expect(texts(node.store.hints('n2', ALL))).toEqual(['1']);
    expect(node.probes).toContain('coordinate-as-fallback');
  });

  it('are told in bunches, slot after slot, and all of them in the end', async () => {
    const { node, keys } = await fallback(20);
    for (const key of keys) node.replicate(key, written(key), { hintFor: 'n2' });
    const seen: string[] = [];
    for (let bunch = node.store.hints('n2', { count: 3, bytes: 10_000 }); bunch.length > 0; ) {
      expect(bunch.length).toBeLessThanOrEqual(3);
      seen.push(...(texts(bunch) as string[]));
      remove(node, bunch);
      bunch = node.store.hints('n2', { count: 3, bytes: 10_000 });
    }
    expect(seen.sort()).toEqual([...keys].sort());
    expect(node.hints.slotsOf('n2')).toBe(0);
  });

  it('a removal that the engine refuses leaves all as it was', async () => {
    const { node, keys } = await fallback();
    node.replicate(keys[0] as string, written('1'), { hintFor: 'n2' });
    const bunch = node.store.hints('n2', ALL);
    const restore = node.refuseCommits(new LsmError('LSM_BUSY', 'later'));
    expect(remove(node, bunch)[0]).toMatchObject({ code: 'LSM_BUSY' });
    restore();
    expect(node.store.hints('n2', ALL)).toEqual(bunch);
  });
});

describe('hints by reference', () => {
  it('carry what the owner holds when they are delivered', async () => {
    const node = await LocalNode.start();
    node.coordinate('a', '1', { hintFor: ['n2'] });
    node.settle();
    node.coordinate('a', '2');
    node.settle();
    expect(texts(node.store.hints('n2', ALL))).toEqual(['2']);
  });

  it('count as much as the records that are sent for them', async () => {
    const node = await LocalNode.start();
    for (let i = 0; i < 10; i++) node.coordinate(`k${i}`, 'x'.repeat(1000), { hintFor: ['n2'] });
    node.settle();
    expect(node.store.hints('n2', { count: 64, bytes: 2500 })).toHaveLength(3);
  });

  it('their removal ends no tenure: the owner still holds the record', async () => {
    const node = await LocalNode.start();
    node.coordinate('a', '1', { hintFor: ['n2', 'n3'] });
    node.settle();
    const actor = () => decodeRecord(node.replica.read(addressOf('a')) as Buffer).values[0]?.dot.actor;
    const before = actor();
    remove(node, node.store.hints('n2', ALL));
    expect(node.store.hints('n2', ALL)).toEqual([]);
    expect(node.store.hintTargets()).toEqual(['n3']);
    node.coordinate('a', '2');
    expect(actor()).toBe(before);
  });

  it('a record that cannot be read does not hold up the hints behind it', async () => {
    const node = await LocalNode.start();
    for (const key of ['a', 'b', 'c']) node.coordinate(key, key, { hintFor: ['n2'] });
    node.settle();
    const { read } = node.replica;
    node.replica.read = (address) => {
      if (Buffer.from(address).equals(addressOf('b'))) throw new LsmError('LSM_CORRUPTION', 'block');
      return read.call(node.replica, address);
    };
    const hints = node.store.hints('n2', ALL);
    expect(hints.map(({ record }) => (record.length === 0 ? '-' : textOf(record))).sort()).toEqual(['-', 'a', 'c']);
  });

  it('can be kept after the write, when an owner does not answer', async () => {
    const node = await LocalNode.start();
    const write = node.coordinate('a', '1');
    node.settle();
    const told: unknown[] = [];
    node.replica.keepHint('n3', addressOf('a'), write.state as Buffer, (error) => told.push(error));
    node.turn();
    expect(told).toEqual([]);
    node.settle();
    expect(told).toEqual([undefined]);
    expect(texts(node.store.hints('n3', ALL))).toEqual(['1']);
  });
});

describe('after a restart', () => {
  it('hints are found again by their markers, in a clean start and after a crash', async () => {
    const { node, keys } = await fallback(3);
    for (const key of keys) node.replicate(key, written(key), { hintFor: 'n2' });
    node.settle();
    await node.restart();
    expect(texts(node.store.hints('n2', ALL)).sort()).toEqual([...keys].sort());
    node.crash();
    await node.open();
    expect(texts(node.store.hints('n2', ALL)).sort()).toEqual([...keys].sort());
  });

  it('no hint bears an id that an earlier incarnation gave', async () => {
    const { node, keys } = await fallback(2);
    node.replicate(keys[0] as string, written('1'), { hintFor: 'n2' });
    node.settle();
    const [before] = node.store.hints('n2', ALL);
    await node.restart();
    node.replicate(keys[0] as string, written('1'), { hintFor: 'n2' });
    const [after] = node.store.hints('n2', ALL);
    expect(after?.id).toBeGreaterThan(before?.id as number);
    remove(node, [before as Hint]);
    expect(node.store.hints('n2', ALL)).toHaveLength(1);
  });
});
