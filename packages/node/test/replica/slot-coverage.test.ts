import { Ring, parseInitialMembers } from '@kvd/ring';
import { describe, expect, it } from 'vitest';
import { sharedSlots } from '../../src/replica/shared-slots.ts';
import { SlotCoverage } from '../../src/replica/slot-coverage.ts';
import { ringOf } from './local-node.ts';

const ALL = [0, 16383] as const;

describe('coverage', () => {
  it('a slot is covered once every other owner of its row has agreed', () => {
    const coverage = new SlotCoverage(ringOf(3, 3), 'n1');
    coverage.agreed('n2', 100, 200);
    expect(coverage.covered(100)).toBe(false);
    coverage.agreed('n3', 150, 300);
    expect([149, 150, 200, 201].map((slot) => coverage.covered(slot))).toEqual([false, true, true, false]);
  });

  it('who is not in the row does not count', () => {
    const ring = ringOf(4, 2);
    const coverage = new SlotCoverage(ring, 'n1');
    const stranger = ['n2', 'n3', 'n4'].find((id) => !ring.row(7).includes(id)) as string;
    coverage.agreed(stranger, ...ALL);
    expect(coverage.covered(7)).toBe(ring.row(7).length === 1);
  });

  it('holds for rows of sixteen owners', () => {
    const coverage = new SlotCoverage(ringOf(16, 16), 'n1');
    for (let i = 2; i <= 16; i++) {
      expect(coverage.covered(5)).toBe(false);
      coverage.agreed(`n${i}`, ...ALL);
    }
    expect(coverage.covered(5)).toBe(true);
  });

  it('says once when the last of its own slots is covered', () => {
    let complete = 0;
    const coverage = new SlotCoverage(ringOf(3, 2), 'n1', () => complete++);
    coverage.agreed('n2', ...ALL);
    expect(complete).toBe(0);
    coverage.agreed('n3', 0, 16382);
    coverage.agreed('n3', 16383, 16383);
    coverage.agreed('n2', ...ALL);
    expect(complete).toBe(1);
  });

  it('a lone owner has nobody to ask', () => {
    const coverage = new SlotCoverage(Ring.initial(parseInitialMembers('n1=h:1'), { replicas: 3 }), 'n1');
    expect(coverage.covered(0)).toBe(true);
  });
});

describe('shared slots', () => {
  it('are, for each other owner, the slots that both keep, as disjoint runs', () => {
    const ring = ringOf(4, 2);
    const shared = sharedSlots(ring, 'n1', 2);
    expect(shared.map(({ peer }) => peer)).toEqual(['n2', 'n3', 'n4']);
    const found = new Map<string, Set<number>>();
    for (const { peer, runs } of shared) {
      const slots = new Set<number>();
      for (const [from, to] of runs) {
        for (let slot = from; slot <= to; slot++) {
          expect(slots.has(slot)).toBe(false);
          slots.add(slot);
        }
      }
      found.set(peer, slots);
    }
    for (let slot = 0; slot < 16384; slot++) {
      const row = ring.row(slot);
      for (const [peer, slots] of found) expect(slots.has(slot)).toBe(row.includes('n1') && row.includes(peer));
    }
  });

  it('of a smaller group are those in which both are among the first', () => {
    const ring = ringOf(3, 3);
    for (const { runs } of sharedSlots(ring, 'n1', 1)) expect([...runs]).toEqual([]);
    expect(sharedSlots(ring, 'n1', 3)).toEqual(['n2', 'n3'].map((peer) => ({ peer, group: 3, runs: [[...ALL]] })));
  });
});
