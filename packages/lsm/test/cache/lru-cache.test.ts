import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LruCache, LruNode } from '../../src/cache/lru-cache.ts';

class Item extends LruNode {
  readonly name: number;
  constructor(name: number, weight: number) {
    super(weight);
    this.name = name;
  }
}

const commands = fc.array(
  fc.record({
    what: fc.constantFrom('use', 'use', 'remove'),
    name: fc.nat(8),
    weight: fc.integer({ min: 1, max: 12 }),
  }),
  { maxLength: 80 },
);

test('drives out what was used least recently, as a list that is searched would', () => {
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 30 }), (list, capacity) => {
      const nodes = new Map<number, Item>();
      let model: Item[] = [];
      const evicted: number[] = [];
      const lru = new LruCache<Item>(capacity, (item) => {
        nodes.delete(item.name);
        evicted.push(item.name);
      });
      const expected: number[] = [];
      for (const { what, name, weight } of list) {
        const known = nodes.get(name);
        if (what === 'remove') {
          if (known === undefined) continue;
          lru.remove(known);
          nodes.delete(name);
          model = model.filter((item) => item !== known);
        } else if (known !== undefined) {
          lru.touch(known);
          model = [...model.filter((item) => item !== known), known];
        } else {
          const item = new Item(name, weight);
          nodes.set(name, item);
          lru.add(item);
          model.push(item);
          while (model.length > 1 && model.reduce((sum, { weight }) => sum + weight, 0) > capacity) {
            expected.push((model.shift() as Item).name);
          }
        }
        expect(evicted).toEqual(expected);
        expect(lru.weight).toBe(model.reduce((sum, { weight }) => sum + weight, 0));
        expect(lru.count).toBe(model.length);
      }
    }),
  );
});
