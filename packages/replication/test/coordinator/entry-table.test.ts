import { expect, test } from 'vitest';
import { EntryTable } from '../../src/coordinator/entry-table.ts';

function fixture() {
  let made = 0;
  return new EntryTable(() => ({
    id: ++made,
    cleared: 0,
    clear() {
      this.cleared++;
    },
  }));
}

test('an entry is used again after its release, and no longer serves its old stream', () => {
  const table = fixture();
  const first = table.take(1);
  table.release(first, 1);
  const second = table.take(2);
  expect(second).toBe(first);
  expect([first.cleared, table.size, table.holds(first, 1), table.holds(first, 2)]).toEqual([1, 1, false, true]);
});

test('a second release does nothing, also when the entry serves another stream by now', () => {
  const table = fixture();
  const entry = table.take(1);
  table.release(entry, 1);
  table.release(entry, 1);
  expect(table.take(2)).toBe(entry);
  table.release(entry, 1);
  expect(table.get(2)).toBe(entry);
  expect(table.take(3)).not.toBe(entry);
});

test('a stream in use is refused', () => {
  const table = fixture();
  table.take(1);
  expect(() => table.take(1)).toThrow('stream 1 is in use');
});
