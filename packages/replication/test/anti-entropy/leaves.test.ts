import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareLeaves, readChunk, runsWithout, type SlotRun } from '../../src/anti-entropy/leaves.ts';
import { MemoryReplicaStore } from '../support/memory-replica-store.ts';

const shared = {
  peer: 'b',
  group: 3,
  runs: [
    [2, 4],
    [10, 12],
  ] as readonly SlotRun[],
};
const wide = { slots: 4096, bytes: 65_536 };

test('a chunk spans several runs, and names only leaves that are not zero', () => {
  const store = new MemoryReplicaStore().put(3, 'k', 'x').put(7, 'not shared', 'x').put(12, 'l', 'x');
  const chunk = readChunk(shared, 0, store, wide);
  expect(chunk).toMatchObject({ fromSlot: 2, toSlot: 12, runs: shared.runs });
  expect(chunk!.leaves.map(({ slot }) => slot)).toEqual([3, 12]);
});

test('chunks end at the limit of slots or bytes, go on where they ended, and cover each shared slot once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 19, max: 100 }), (slots, bytes) => {
      const store = new MemoryReplicaStore();
      for (let slot = 0; slot < 20; slot += 2) store.put(slot, 'k', 'x');
      const seen: number[] = [];
      for (let from = 0; ; ) {
        const chunk = readChunk(shared, from, store, { slots, bytes });
        if (chunk === undefined) break;
        for (const [first, last] of chunk.runs) for (let slot = first; slot <= last; slot++) seen.push(slot);
        expect(chunk.leaves.length * 19).toBeLessThanOrEqual(bytes);
        from = chunk.toSlot + 1;
      }
      expect(seen).toEqual([2, 3, 4, 10, 11, 12]);
    }),
  );
});

test('differing are exactly the shared slots of the range whose leaves differ, empty ones included', () => {
  const mine = new MemoryReplicaStore().put(2, 'k', 'x').put(3, 'k', 'x').put(7, 'k', 'x').put(12, 'k', 'x');
  const theirs = new MemoryReplicaStore().put(2, 'k', 'x').put(3, 'k', 'y').put(4, 'k', 'x');
  const chunk = readChunk(shared, 0, theirs, wide)!;
  const message = {
    kind: 'exchange-leaves',
    stream: 1,
    ringEpoch: 1,
    group: 3,
    fromSlot: 2,
    toSlot: 11,
    leaves: chunk.leaves,
  } as const;
  expect(compareLeaves(message, shared, mine)).toEqual({ differing: [3, 4], compared: 5, errors: 0 });
  expect(compareLeaves({ ...message, toSlot: 12 }, shared, mine).differing).toEqual([3, 4, 12]);
});

test('runs without some slots fall apart around them', () => {
  expect(
    runsWithout(
      [
        [0, 5],
        [8, 8],
      ],
      new Set([0, 3, 8, 99]),
    ),
  ).toEqual([
    [1, 2],
    [4, 5],
  ]);
  expect(runsWithout([[0, 5]], new Set())).toEqual([[0, 5]]);
});
