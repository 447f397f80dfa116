import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring } from '../src/ring.ts';
import { SLOT_COUNT } from '../src/slot.ts';
import { inZones, someMembers } from './members.ts';

const sizes = fc.integer({ min: 1, max: 24 });

/** Slots per member: as primary, and as any owner. */
function loads(ring: Ring): { primary: Map<string, number>; replica: Map<string, number> } {
  const primary = new Map<string, number>();
  const replica = new Map<string, number>();
  const add = (to: Map<string, number>, id: string, count: number) => to.set(id, (to.get(id) ?? 0) + count);
  for (const { from, to, row } of ring.runs()) {
    add(primary, row[0] as string, to - from + 1);
    for (const id of row) add(replica, id, to - from + 1);
  }
  return { primary, replica };
}

/** The greatest by the mean. */
function imbalance(ring: Ring, load: Map<string, number>): number {
  const all = ring.members.map(({ id }) => load.get(id) ?? 0);
  return Math.max(...all) / (all.reduce((sum, count) => sum + count, 0) / all.length);
}

describe('An initial ring', () => {
  it('gives each slot distinct owners, as many as replicas or members', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 7 }), (count, replicas) => {
        const ring = Ring.initial(someMembers(count), { replicas });
        let next = 0;
        for (const { from, to, row } of ring.runs()) {
          expect(from).toBe(next);
          next = to + 1;
          expect(row.length).toBe(Math.min(replicas, count));
          expect(new Set(row).size).toBe(row.length);
        }
        expect(next).toBe(SLOT_COUNT);
      }),
      { numRuns: 40 },
    );
  });

  it('balances primaries and replicas of equal members within 1 %', () => {
    for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 32, 50, 100]) {
      for (const replicas of [1, 2, 3, 5]) {
        const ring = Ring.initial(someMembers(count), { replicas });
        const { primary, replica } = loads(ring);
        expect(imbalance(ring, primary), `${count} primaries`).toBeLessThanOrEqual(1.01);
        expect(imbalance(ring, replica), `${count} members, ${replicas} replicas`).toBeLessThanOrEqual(1.01);
      }
    }
  });

  it('balances equal zones as well', () => {
    for (const [count, zones] of [
      [3, 3],
      [6, 3],
      [9, 3],
      [6, 2],
      [12, 4],
      [30, 3],
    ] as const) {
      const ring = Ring.initial(someMembers(count, inZones(zones)));
      const { primary, replica } = loads(ring);
      expect(imbalance(ring, primary)).toBeLessThanOrEqual(1.01);
      expect(imbalance(ring, replica), `${count} in ${zones} zones`).toBeLessThanOrEqual(1.01);
    }
  });

  it('uses no zone twice in a row before every zone is used', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (count, zones, replicas) => {
        const ring = Ring.initial(someMembers(count, inZones(zones)), { replicas });
        const present = Math.min(zones, count);
        for (const { row } of ring.runs()) {
          const used = row.map((id) => ring.member(id)?.zone);
          expect(new Set(used.slice(0, present)).size).toBe(Math.min(present, row.length));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives slots by weight, to the slot', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }), (tenths) => {
        const weights = tenths.map((weight) => weight / 10);
        const ring = Ring.initial(someMembers(weights.length, (i) => ({ weight: weights[i] as number })));
        const { primary } = loads(ring);
        const sum = weights.reduce((a, b) => a + b, 0);
        weights.forEach((weight, i) => {
          const exact = (SLOT_COUNT * weight) / sum;
          expect(Math.abs((primary.get(`n${i + 1}`) ?? 0) - exact)).toBeLessThan(1);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('is short: at most 64 runs for a member of weight 1, one run in all for a single member', () => {
    for (const count of [2, 3, 5, 40]) expect(Ring.initial(someMembers(count)).runs().length).toBe(64 * count);
    expect(Ring.initial(someMembers(1)).runs()).toEqual([{ from: 0, to: SLOT_COUNT - 1, row: ['n1'] }]);
    expect(Ring.initial(someMembers(3), { virtualNodesPerNode: 8 }).runs().length).toBe(24);
  });

  it('spreads the load of a failed primary over the other members', () => {
    for (const count of [3, 5, 9]) {
      const seconds = new Map<string, number>();
      for (const { from, to, row } of Ring.initial(someMembers(count)).runs()) {
        if (row[0] === 'n1') seconds.set(row[1] as string, (seconds.get(row[1] as string) ?? 0) + to - from + 1);
      }
      expect(seconds.size).toBe(count - 1);
      const most = Math.max(...seconds.values()) / (SLOT_COUNT / count);
      expect(most, `${count} members`).toBeLessThan(1.3 / (count - 1));
    }
  });

  it('is the same for the same members in any order, and another for others', () => {
    const shuffled = fc
      .tuple(sizes, fc.integer({ min: 1, max: 3 }))
      .map(([count, zones]) => someMembers(count, inZones(zones)))
      .chain((members) => fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })));
    fc.assert(
      fc.property(shuffled, ([members, other]) => {
        expect(Ring.initial(other).encode().equals(Ring.initial(members).encode())).toBe(true);
      }),
      { numRuns: 30 },
    );
    const hashes = [someMembers(3), someMembers(4), someMembers(3, () => ({ host: 'h' }))].map((members) => {
      return Ring.initial(members).hash;
    });
    expect(new Set(hashes).size).toBe(3);
  });

  it('is the ring that this version has always made', () => {
    expect(Ring.initial(someMembers(3)).hash).toMatchInlineSnapshot(`"657b2ec7f30ae63a"`);
    expect(Ring.initial(someMembers(7, inZones(3)), { replicas: 5 }).hash).toMatchInlineSnapshot(`"6e3304e7134d84ad"`);
  });

  it('refuses options out of range', () => {
    const code = expect.objectContaining({ name: 'RingError', code: 'RING_OPTIONS' });
    for (const replicas of [0, 17, 1.5, Number.NaN]) {
      expect(() => Ring.initial(someMembers(3), { replicas })).toThrow(code);
    }
    for (const virtualNodesPerNode of [0, 1025, 0.5]) {
      expect(() => Ring.initial(someMembers(3), { virtualNodesPerNode })).toThrow(code);
    }
  });

  it('refuses members that no ring can hold', () => {
    const code = expect.objectContaining({ name: 'RingError', code: 'RING_MEMBERS' });
    const refused = [
      [],
      someMembers(2, () => ({ id: 'same' })),
      someMembers(2, () => ({ number: 1 })),
      someMembers(2, () => ({ peerPort: 1 })),
      someMembers(1, () => ({ number: 0 })),
      someMembers(1, () => ({ number: 65536 })),
      someMembers(1, () => ({ port: 0 })),
      someMembers(1, () => ({ weight: 0 })),
      someMembers(1, () => ({ weight: Number.NaN })),
      someMembers(1, () => ({ zone: '' })),
      someMembers(1, () => ({ id: 'x'.repeat(256) })),
      someMembers(1001, (i) => ({ peerPort: i + 1 })),
    ];
    for (const members of refused) expect(() => Ring.initial(members)).toThrow(code);
  });
});

describe('A ring', () => {
  it('answers by slot, by id and by number', () => {
    const ring = Ring.initial(someMembers(5));
    expect(ring.epoch).toBe(1);
    expect(ring.members.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3', 'n4', 'n5']);
    expect(ring.member('n2')?.port).toBe(7380);
    expect(ring.memberByNumber(2)).toBe(ring.member('n2'));
    expect(ring.member('n6')).toBeUndefined();
    expect(ring.memberByNumber(6)).toBeUndefined();
    for (const { from, to, row } of ring.runs()) {
      expect(ring.row(from)).toBe(row);
      expect(ring.row(to)).toBe(row);
      for (const { id } of ring.members) expect(ring.isOwner(to, id)).toBe(row.includes(id));
    }
  });

  it('has no row for what is no slot', () => {
    const ring = Ring.initial(someMembers(3));
    for (const slot of [-1, SLOT_COUNT, 0.5, Number.NaN]) expect(() => ring.row(slot)).toThrow(RangeError);
  });

  it('cannot be made of runs that leave a gap, overlap, or name a stranger', () => {
    const { replicas, members } = Ring.initial(someMembers(2));
    const make = (runs: readonly { from: number; to: number; row: readonly string[] }[]) => () =>
      new Ring({ epoch: 2, replicas, members, runs });
    const row = ['n1', 'n2'];
    expect(make([{ from: 0, to: SLOT_COUNT - 1, row }])().row(7)).toEqual(row);
    for (const runs of [
      [],
      [{ from: 0, to: 99, row }],
      [{ from: 1, to: SLOT_COUNT - 1, row }],
      [{ from: 0, to: SLOT_COUNT, row }],
      [{ from: 0, to: SLOT_COUNT - 1, row: ['n1'] }],
      [{ from: 0, to: SLOT_COUNT - 1, row: ['n1', 'n1'] }],
      [{ from: 0, to: SLOT_COUNT - 1, row: ['n1', 'n3'] }],
    ]) {
      expect(make(runs)).toThrow(expect.objectContaining({ code: 'RING_OPTIONS' }));
    }
  });
});
