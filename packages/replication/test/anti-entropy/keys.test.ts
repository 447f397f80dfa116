import { expect, test } from 'vitest';
import { compareKeys, isOfSlot, NO_BYTES, readPage } from '../../src/anti-entropy/keys.ts';
import { address, latin1, MemoryReplicaStore } from '../support/memory-replica-store.ts';

const wide = { keys: 100, bytes: 10_000 };

function ask(store: MemoryReplicaStore, after: Uint8Array = NO_BYTES, until: Uint8Array = NO_BYTES) {
  const { keys } = store.list(1, {
    ...(after.length > 0 && { after }),
    ...(until.length > 0 && { until }),
    limit: 100,
  });
  return { kind: 'exchange-keys', stream: 1, ringEpoch: 1, group: 3, slot: 1, after, until, keys } as const;
}

function show(addresses: readonly Uint8Array[]): string {
  return addresses.map((one) => latin1(one.subarray(2))).join(' ');
}

test('a page says up to where it speaks; the last one speaks of the rest of the slot', () => {
  const store = new MemoryReplicaStore().put(1, 'a', 'x').put(1, 'b', 'x').put(1, 'c', 'x');
  const first = readPage(store, 1, NO_BYTES, { keys: 2, bytes: 1000 });
  expect([show(first.keys.map((key) => key.address)), show([first.until])]).toEqual(['a b', 'b']);
  const second = readPage(store, 1, first.until, { keys: 2, bytes: 1000 });
  expect([show(second.keys.map((key) => key.address)), second.until.length]).toEqual(['c', 0]);
  expect(readPage(store, 1, NO_BYTES, { keys: 100, bytes: 1 }).keys).toHaveLength(1);
});

test('the walk tells what only one has, and what both have differently', () => {
  const theirs = new MemoryReplicaStore().put(1, 'a', 'x').put(1, 'c', 'x').put(1, 'd', 'x');
  const mine = new MemoryReplicaStore().put(1, 'b', 'x').put(1, 'c', 'y').put(1, 'd', 'x').put(2, 'e', 'x');
  const { wanted, items, covered } = compareKeys(ask(theirs), mine, wide)!;
  expect([show(wanted), show(items.map((one) => one.address)), covered.length]).toEqual(['a c', 'b c', 0]);
});

test('what lies outside the asked range is not compared', () => {
  const mine = new MemoryReplicaStore().put(1, 'a', 'x').put(1, 'b', 'x').put(1, 'c', 'x');
  const { items } = compareKeys(ask(new MemoryReplicaStore(), address(1, 'a'), address(1, 'b')), mine, wide)!;
  expect(show(items.map((one) => one.address))).toBe('b');
});

test('an answer that is full says how far it came, and holds at least one record', () => {
  const mine = new MemoryReplicaStore().put(1, 'a', 'xyz').put(1, 'b', 'x').put(1, 'c', 'x');
  const { items, covered } = compareKeys(ask(new MemoryReplicaStore()), mine, { keys: 100, bytes: 2 })!;
  expect([show(items.map((one) => one.address)), show([covered])]).toEqual(['a', 'a']);
});

test('a record that cannot be read ends the answer before it, or leaves none', () => {
  const mine = new MemoryReplicaStore().put(1, 'a', 'x').put(1, 'b', 'x');
  mine.unreadable.add(latin1(address(1, 'b')));
  expect(show([compareKeys(ask(new MemoryReplicaStore()), mine, wide)!.covered])).toBe('a');
  mine.unreadable.add(latin1(address(1, 'a')));
  expect(compareKeys(ask(new MemoryReplicaStore()), mine, wide)).toBeUndefined();
});

test('an address too short for a slot is of none', () => {
  expect([isOfSlot(address(0, ''), 0), isOfSlot(Buffer.from([0]), 0), isOfSlot(NO_BYTES, 0)]).toEqual([
    true,
    false,
    false,
  ]);
});
