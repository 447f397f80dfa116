import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preferenceList } from '../src/preference-list.ts';
import { Ring } from '../src/ring.ts';
import { SLOT_COUNT } from '../src/slot.ts';
import { inZones, someMembers } from './members.ts';

const slots = fc.nat(SLOT_COUNT - 1);

describe('A preference list', () => {
  it("is the row's first n, and then every other member once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 6 }), slots, (count, n, slot) => {
        const ring = Ring.initial(someMembers(count), { virtualNodesPerNode: 8 });
        const { owners, fallbacks } = preferenceList(ring, slot, n);
        expect(owners).toEqual(ring.row(slot).slice(0, n));
        expect([...owners, ...fallbacks].sort()).toEqual(ring.members.map(({ id }) => id).sort());
        expect([...owners, ...fallbacks].slice(0, ring.row(slot).length)).toEqual(ring.row(slot));
      }),
      { numRuns: 100 },
    );
  });

  it('goes on clockwise past the row', () => {
    const row = (first: string, second: string) => [first, second];
    const owners = [row('n1', 'n2'), row('n4', 'n1'), row('n2', 'n4'), row('n3', 'n1'), row('n5', 'n3')];
    const runs = owners.map((ids, i) => ({ from: i * 3000, to: i === 4 ? SLOT_COUNT - 1 : i * 3000 + 2999, row: ids }));
    const ring = new Ring({ epoch: 1, replicas: 2, members: someMembers(6), runs });
    expect(preferenceList(ring, 0, 2)).toEqual({ owners: ['n1', 'n2'], fallbacks: ['n4', 'n3', 'n5', 'n6'] });
    expect(preferenceList(ring, 9000, 2)).toEqual({ owners: ['n3', 'n1'], fallbacks: ['n5', 'n4', 'n2', 'n6'] });
    expect(preferenceList(ring, 9000, 1)).toEqual({ owners: ['n3'], fallbacks: ['n1', 'n5', 'n4', 'n2', 'n6'] });
  });

  it('begins its fallbacks with zones that the row does not have', () => {
    fc.assert(
      fc.property(slots, (slot) => {
        const ring = Ring.initial(someMembers(8, inZones(4)), { replicas: 2, virtualNodesPerNode: 16 });
        const { owners, fallbacks } = preferenceList(ring, slot, 2);
        const zones = [...owners, ...fallbacks].map((id) => ring.member(id)?.zone);
        expect(new Set(zones.slice(0, 4)).size).toBe(4);
        expect(new Set(zones.slice(4)).size).toBe(4);
      }),
      { numRuns: 50 },
    );
  });

  it('is the same object each time it is asked for, for all slots of a run', () => {
    const ring = Ring.initial(someMembers(5));
    for (const { from, to } of ring.runs()) {
      const list = preferenceList(ring, from, 3);
      expect(preferenceList(ring, to, 3)).toBe(list);
      expect(preferenceList(ring, from, 9)).toBe(list);
      expect(preferenceList(ring, from, 2)).not.toBe(list);
    }
    expect(Object.isFrozen(preferenceList(ring, 0, 3).owners)).toBe(true);
  });

  it('refuses a slot that is none, and no owners at all', () => {
    const ring = Ring.initial(someMembers(3));
    expect(() => preferenceList(ring, SLOT_COUNT, 3)).toThrow(RangeError);
    for (const n of [0, -1, Number.NaN]) expect(() => preferenceList(ring, 0, n)).toThrow(RangeError);
  });
});
