import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyOrder, keyHash, keyHashes, type Ordered } from '../src/key-order.ts';

interface Sent extends Ordered {
  readonly n: number;
  readonly keys: readonly number[];
}

test('of two commands that share a key and of which one writes it, the earlier ends before the later begins', () => {
  const commands = fc.array(fc.record({ keys: fc.uniqueArray(fc.nat(4), { maxLength: 3 }), writes: fc.boolean() }), {
    maxLength: 25,
  });
  fc.assert(
    fc.property(commands, fc.infiniteStream(fc.nat()), (list, chance) => {
      const order = new KeyOrder();
      const running = new Set<Sent>();
      const begun: Sent[] = [];
      const ended: Sent[] = [];
      const begin = (command: Ordered): void => {
        const sent = command as Sent;
        for (const earlier of sentCommands.slice(0, sent.n)) {
          const shares = earlier.keys.some((key) => sent.keys.includes(key));
          if (shares && (earlier.writes || sent.writes)) expect(ended).toContain(earlier);
        }
        running.add(sent);
        begun.push(sent);
      };
      const end = (command: Sent): void => {
        running.delete(command);
        ended.push(command);
        order.leave(command, begin);
      };
      const sentCommands: Sent[] = [];
      for (const [n, { keys, writes }] of list.entries()) {
        const sent: Sent = { n, keys, keyHashes: keys, writes, waitsFor: 0, followers: undefined };
        sentCommands.push(sent);
        order.enter(sent);
        if (sent.waitsFor === 0) begin(sent);
        if ((chance.next().value ?? 0) % 3 === 0) end([...running][0] ?? sent);
        if (!begun.includes(sent)) expect(sent.waitsFor).toBeGreaterThan(0);
      }
      while (running.size > 0) end([...running][(chance.next().value ?? 0) % running.size] as Sent);
      expect(begun).toHaveLength(list.length);
      expect(order.isEmpty).toBe(true);
    }),
  );
});

test('readers of one key do not wait for each other', () => {
  const order = new KeyOrder();
  const reader = (): Ordered => ({ keyHashes: [1], writes: false, waitsFor: 0, followers: undefined });
  const [first, second] = [reader(), reader()];
  order.enter(first);
  order.enter(second);
  expect([first.waitsFor, second.waitsFor]).toEqual([0, 0]);
});

test('a command that names a key twice does not wait for itself', () => {
  expect(keyHashes([Buffer.from('a'), Buffer.from('b'), Buffer.from('a')])).toHaveLength(2);
  expect(keyHash(Buffer.from('a'))).toBe(0xe40c292c);
});
