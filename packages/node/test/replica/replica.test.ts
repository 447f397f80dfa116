/** The replica over a real engine on a disk in memory; the test says when the disk answers. */
import { LsmError } from '@kvd/lsm';
import {
  decodeRecord,
  encodeAddress,
  memberNumberOf,
  mergeRecords,
  encodeRecord,
  slotOfAddress,
  storageKey,
  FAMILY,
  VersionVector,
} from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { addressOf, LocalNode, replicateOf, valueOf, WriteBatch } from './local-node.ts';
import { written } from './records.ts';

const BUSY = new LsmError('LSM_BUSY', 'too many memtables wait for their flush');

/** A node whose lease is there, so that writes go through at once. */
async function readyNode(options: Parameters<typeof LocalNode.start>[0] = {}): Promise<LocalNode> {
  const node = await LocalNode.start(options);
  node.dots.whenReady(() => {});
  node.settle();
  return node;
}

/** Keys of which n1 is an owner, or is not. */
function keysOf(node: LocalNode, owned: boolean, count = 1): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    if (node.ring.isOwner(slotOfAddress(addressOf(`k${i}`)), 'n1') === owned) keys.push(`k${i}`);
  }
  return keys;
}

const actorsOf = (state: Uint8Array | undefined) => {
  const { context } = decodeRecord(state as Uint8Array);
  return [...context.entries()].map(([actor]) => actor);
};

describe('coordinate', () => {
  it('answers "merged" at once and "stored" only after the sync', async () => {
    const node = await readyNode();
    const write = node.coordinate('a', '1');
    expect(write.events).toEqual(['merged']);
    node.turn();
    expect(write.events).toEqual(['merged']);
    node.sync();
    expect(write.events).toEqual(['merged', 'stored']);
    expect(node.read('a')).toBe('1');
  });

  it.each(['memory', 'os'] as const)('tells "merged" before "stored" with durability %s', async (durability) => {
    const node = await readyNode();
    const write = node.coordinate('a', '1', { durability });
    node.settle();
    expect(write.events).toEqual(['merged', 'stored']);
  });

  it('waits for the lease of the first counters, and answers once it is durable', async () => {
    const node = await LocalNode.start();
    const write = node.coordinate('a', '1');
    expect(write.events).toEqual([]);
    node.settle();
    expect(write.events).toEqual(['merged', 'stored']);
  });

  it('two writers at one coordinator never build on the same base', async () => {
    const node = await LocalNode.start();
    const writes = ['1', '2', '3', '4'].map((value) => node.coordinate('a', value));
    node.settle();
    const counters = writes.map(({ state }) => decodeRecord(state as Buffer).context.counterAt(0));
    expect(new Set(counters).size).toBe(4);
    const held = decodeRecord(node.replica.read(addressOf('a')) as Buffer);
    expect(held.values).toHaveLength(1);
    expect(node.read('a')).toBe('4');
    for (const [i, { state }] of writes.entries()) {
      if (i > 0)
        expect(
          decodeRecord(state as Buffer).context.includes(decodeRecord(writes[i - 1]?.state as Buffer).context),
        ).toBe(true);
    }
  });

  it('fails, certainly without effect, when the engine has no room, and the leaf stays what it was', async () => {
    const node = await readyNode();
    node.coordinate('a', '1');
    const leaf = node.leaves.leaf(slotOfAddress(addressOf('a')));
    const restore = node.refuseCommits(BUSY);
    const write = node.coordinate('a', '2');
    expect(write.events).toEqual(['failed overload']);
    restore();
    expect(node.leaves.leaf(slotOfAddress(addressOf('a')))).toEqual(leaf);
    expect(node.read('a')).toBe('1');
  });

  it('says "lost", never "stored", when the sync fails', async () => {
    const node = await readyNode();
    node.disk.failNextSync('.log', { dropPages: true });
    const write = node.coordinate('a', '1');
    node.settle();
    expect(write.events).toEqual(['merged', 'lost']);
    expect(node.coordinate('a', '2').events).toEqual(['failed engine']);
  });

  it('answers every write when the lease cannot be extended', async () => {
    const node = await LocalNode.start();
    const restore = node.refuseCommits(new LsmError('LSM_DURABILITY_LOST', 'the disk has failed'));
    const writes = [node.coordinate('a', '1'), node.coordinate('b', '2')];
    expect(writes.map(({ events }) => events)).toEqual([['failed engine'], ['failed engine']]);
    restore();
  });

  it('supersedes what it has read from others', async () => {
    const node = await readyNode();
    const write = node.coordinate('a', 'mine', { seen: [written('theirs')] });
    const record = decodeRecord(write.state as Buffer);
    expect(record.values).toHaveLength(1);
    expect(record.context.size).toBe(2);
  });

  it('refuses a context that names what was not issued, and keeps the tenure that it minted for it durably', async () => {
    const node = await readyNode();
    const first = node.coordinate('a', '1', { seen: [] });
    const actor = actorsOf(first.state)[0] as never;
    const supersedes = VersionVector.of([[actor, 1_000_000]]).encode();
    const operation = { type: 'put', value: Buffer.from('x'), supersedes } as const;
    expect(node.coordinate('a', 'x', { operation }).events).toEqual(['failed limit']);
    expect(node.read('a')).toBe('1');
  });

  it('a tenure that was minted in a refused batch is stored with the next one', async () => {
    const node = await readyNode();
    const restore = node.refuseCommits(BUSY);
    expect(node.coordinate('a', '1').events).toEqual(['failed overload']);
    restore();
    const before = actorsOf(node.coordinate('a', '2').state);
    node.settle();
    await node.restart();
    const after = node.coordinate('a', '3');
    node.settle();
    expect(actorsOf(after.state)).toEqual(before);
  });

  it('a tenure whose end was refused by the engine does not come back with a clean restart', async () => {
    const node = await readyNode();
    const first = node.coordinate('a', '1');
    const [lost] = actorsOf(first.state);
    node.settle();
    const evidence = written('x', { member: 1, tenure: 99, on: first.state });
    const restore = node.refuseCommits(BUSY);
    expect(node.replicate('a', evidence)).toEqual(['failed']);
    expect(node.coordinate('b', '1').events).toEqual(['failed overload']);
    restore();
    expect(node.replicate('a', first.state as Buffer)).toEqual([]);
    expect(node.replicate('a', written('y', { on: first.state }))).toEqual([]);
    node.settle();
    await node.restart();
    const second = node.coordinate('a', '2');
    node.settle();
    const issued = decodeRecord(second.state as Buffer).values[0]?.dot.actor;
    expect(memberNumberOf(issued as never)).toBe(1);
    expect(issued).not.toBe(lost);
  });

  it('a client that has seen a lost write of the present tenure ends it', async () => {
    const node = await readyNode();
    const first = node.coordinate('a', '1');
    const [actor] = actorsOf(first.state);
    node.coordinate('{a}other', '2');
    const supersedes = VersionVector.of([[actor as never, 2]]).encode();
    const operation = { type: 'put', value: Buffer.from('3'), supersedes } as const;
    const write = node.coordinate('a', '3', { operation });
    expect(write.events).toEqual(['merged']);
    expect(decodeRecord(write.state as Buffer).values[0]?.dot.actor).not.toBe(actor);
  });

  it('an unreadable record is no absent one: the write fails and the tenure ends', async () => {
    const node = await readyNode();
    const first = node.coordinate('a', '1');
    node.engine.commit(
      new WriteBatch().put(storageKey(addressOf('a'), FAMILY.records), Buffer.from('?')),
      'memory',
      () => {},
    );
    expect(node.coordinate('a', '2').events).toEqual(['failed engine']);
    const other = keysInSlotOf('a');
    const next = node.coordinate(other, '1');
    expect(actorsOf(next.state)).not.toEqual(actorsOf(first.state));
  });
});

/** Another key of the same slot. */
const keysInSlotOf = (key: string): string => `{${key}}2`;

describe('replicate', () => {
  it('is acknowledged only after the sync', async () => {
    const node = await readyNode();
    const told = node.replicate('a', written('1'));
    node.turn();
    expect(told).toEqual([]);
    node.sync();
    expect(told).toEqual(['stored']);
  });

  it('a duplicate is not acknowledged while the sync of the first is still under way', async () => {
    const node = await readyNode();
    const record = written('1');
    const first = node.replicate('a', record);
    node.turn();
    const second = node.replicate('a', record);
    node.turn();
    expect([first, second]).toEqual([[], []]);
    node.settle();
    expect([first, second]).toEqual([['stored'], ['stored']]);
    expect(node.replica.counters.mergesWithoutChange).toBe(1);
  });

  it('merges and never overwrites, in any order', async () => {
    const node = await readyNode();
    const older = written('1');
    const newer = written('2', { counter: 2, on: older });
    const sibling = written('s', { member: 3 });
    for (const record of [newer, older, sibling, older]) node.replicate('a', record);
    const expected = mergeRecords(decodeRecord(newer), decodeRecord(sibling));
    expect(node.replica.read(addressOf('a'))).toEqual(encodeRecord(expected));
  });

  it('keeps no view of the bytes it was given', async () => {
    const node = await readyNode({ members: 2, replicas: 1 });
    const [mine] = keysOf(node, true) as [string];
    const [theirs] = keysOf(node, false) as [string];
    for (const [key, hintFor] of [
      [mine, undefined],
      [theirs, 'n2'],
    ] as const) {
      const address = addressOf(key);
      const record = written('1');
      node.replica.replicate(replicateOf(address, record, { hintFor }), () => {});
      address.fill(0xee);
      record.fill(0xee);
      expect(valueOf(node.replica.fetch([addressOf(key)]).records[0] as Buffer)).toBe('1');
    }
  });

  it('refuses what is no record, what it does not own, and a hint for one who does not own it', async () => {
    const node = await readyNode({ members: 2, replicas: 1 });
    const [mine] = keysOf(node, true) as [string];
    const [theirs] = keysOf(node, false) as [string];
    expect(node.replicate(mine, Buffer.from('garbage'))).toEqual(['corrupt']);
    expect(node.replicate(theirs, Buffer.from('garbage'), { hintFor: 'n2' })).toEqual(['corrupt']);
    expect(node.replicate(theirs, written('1'))).toEqual(['not-owner']);
    expect(node.replicate(mine, written('1'), { hintFor: 'n2' })).toEqual(['not-owner']);
    expect(node.hints.targets()).toEqual([]);
    expect(node.replica.counters.refused).toBe(4);
  });

  it("refuses an address that is no record's, and the leaf of no slot moves", async () => {
    const node = await readyNode();
    const place = { keyspace: 0, generation: 0, key: Buffer.from('a'), subkey: Buffer.alloc(0) };
    const ofNode = Buffer.concat([Buffer.from([0xff, 0xff, 0, 0, 0, 0, 0, 0]), Buffer.from('identity')]);
    const untermininated = addressOf('a').subarray(0, -1);
    const otherKeyspace = encodeAddress({ ...place, slot: 1, keyspace: 1 });
    const otherGeneration = encodeAddress({ ...place, slot: 1, generation: 1 });
    for (const address of [ofNode, untermininated, otherKeyspace, otherGeneration, Buffer.alloc(0)]) {
      for (const hintFor of [undefined, 'n2']) {
        const told: string[] = [];
        node.replica.replicate(replicateOf(address, written('1'), { hintFor }), (reason) => told.push(reason));
        expect(told).toEqual(['corrupt']);
      }
      expect(node.replica.fetch([address]).status).toBe('refused');
      const errors: unknown[] = [];
      node.store.merge([{ address, record: written('1') }], (error) => errors.push(error));
      expect(errors[0]).toMatchObject({ code: 'REPLICATION_BAD_ADDRESS' });
    }
    expect(node.leaves.leaf(1)).toEqual([0, 0, 0, 0]);
  });

  it('answers once for many items, with the refusal if there is one', async () => {
    const node = await readyNode();
    const items = [
      { address: addressOf('a'), record: written('1') },
      { address: addressOf('b'), record: Buffer.from('?') },
      { address: addressOf('c'), record: written('3') },
    ];
    const told: string[] = [];
    node.replica.replicate(replicateOf(addressOf('a'), written('1'), { items }), (reason) => told.push(reason));
    node.settle();
    expect(told).toEqual(['corrupt']);
    expect([node.read('a'), node.read('c')]).toEqual(['1', '3']);
    node.replica.replicate(replicateOf(addressOf('a'), written('1'), { items: [] }), (reason) => told.push(reason));
    expect(told).toEqual(['corrupt', '']);
  });

  it('a state that names more of the own tenure than is held retires it', async () => {
    const node = await readyNode();
    const first = node.coordinate('a', '1');
    const [actor] = actorsOf(first.state);
    const dot = { actor: actor as never, counter: 50_000 };
    const { values } = decodeRecord(first.state as Buffer);
    const context = VersionVector.of([[actor as never, 50_000]]);
    const more = encodeRecord({ type: 0, context, values: [{ ...(values[0] as never as object), dot } as never] });
    node.replicate('a', more);
    expect(node.probes).toContain('tenure-lost');
    const second = node.coordinate('a', '2');
    expect(decodeRecord(second.state as Buffer).values[0]?.dot.actor).not.toBe(actor);
    node.settle();
    await node.restart();
    const third = node.coordinate('a', '3');
    node.settle();
    expect(decodeRecord(third.state as Buffer).values[0]?.dot.actor).not.toBe(actor);
  });

  it('a hint that names more of the own tenure than is held retires it too', async () => {
    const node = await readyNode({ members: 2, replicas: 1 });
    const [key] = keysOf(node, false) as [string];
    const first = node.coordinate(key, '1', { hintFor: ['n2'] });
    const [actor] = actorsOf(first.state);
    node.replicate(key, written('x', { member: 1, tenure: 77, on: first.state }), { hintFor: 'n2' });
    const second = node.coordinate(key, '2', { hintFor: ['n2'] });
    expect(decodeRecord(second.state as Buffer).values[0]?.dot.actor).not.toBe(actor);
  });
});

describe('fetch', () => {
  it('answers as an owner, in doubt until the slot was compared', async () => {
    const node = await readyNode();
    node.replicate('a', written('1'));
    const reply = node.replica.fetch([addressOf('a'), addressOf('none')]);
    expect(reply).toMatchObject({ status: 'ok', role: 'owner', doubt: true });
    expect(reply.records.map((record) => valueOf(record as Buffer))).toEqual(['1', undefined]);
    for (const peer of ['n2', 'n3']) node.coverage.agreed(peer, 0, 16383);
    expect(node.replica.fetch([addressOf('a')]).doubt).toBe(false);
  });

  it('a fallback answers with the merge of its hints', async () => {
    const node = await readyNode({ members: 4, replicas: 2 });
    const [key] = keysOf(node, false) as [string];
    const [first, second] = node.ring.row(slotOfAddress(addressOf(key))) as [string, string];
    node.replicate(key, written('1'), { hintFor: first });
    node.replicate(key, written('2', { member: 3 }), { hintFor: second });
    const { role, records } = node.replica.fetch([addressOf(key)]);
    expect(role).toBe('fallback');
    expect(decodeRecord(records[0] as Buffer).values).toHaveLength(2);
  });

  it('refuses when the record cannot be read, and the tenure ends', async () => {
    const node = await readyNode();
    const first = node.coordinate('a', '1');
    const { engine } = node;
    const { getSync } = engine;
    engine.getSync = () => {
      throw new LsmError('LSM_IO', 'the disk does not answer');
    };
    expect(node.replica.fetch([addressOf('a')])).toMatchObject({ status: 'refused', reason: 'corrupt' });
    engine.getSync = getSync;
    expect(actorsOf(node.coordinate('{a}2', '1').state)).not.toEqual(actorsOf(first.state));
  });
});

describe('needsPreRead', () => {
  it('holds for who is not first, and for a record without a dot of the present tenure until the slot is compared', async () => {
    const node = await readyNode();
    const address = addressOf('a');
    expect(node.replica.needsPreRead(address, false)).toBe(true);
    expect(node.replica.needsPreRead(address, true)).toBe(true);
    node.coordinate('a', '1');
    expect(node.replica.needsPreRead(address, true)).toBe(false);
    node.replicate('b', written('1'));
    expect(node.replica.needsPreRead(addressOf('b'), true)).toBe(true);
    for (const peer of ['n2', 'n3']) node.coverage.agreed(peer, 0, 16383);
    expect(node.replica.needsPreRead(addressOf('b'), true)).toBe(false);
  });
});
