import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDot, makeActor, memberNumberOf, tenureHexOf } from '../src/dot.ts';
import { VersionVector } from '../src/version-vector.ts';
import { ACTORS, actor, counter, dot, vector } from './arbitraries.ts';

const [A, B] = ACTORS as [(typeof ACTORS)[0], (typeof ACTORS)[0]];

describe('Actor', () => {
  it('gives back the member number and shows the tenure in hex', () => {
    const one = makeActor({ memberNumber: 0x1234, tenureHigh: 0x9f86d081, tenureLow: 0x884c7d65 });
    expect(memberNumberOf(one)).toBe(0x1234);
    expect(tenureHexOf(one)).toBe('9f86d081884c7d65');
    expect(formatDot({ actor: one, counter: 17 })).toBe('4660:9f86d081884c7d65@17');
  });

  it('refuses parts out of range', () => {
    expect(() => makeActor({ memberNumber: 0x10000, tenureHigh: 0, tenureLow: 0 })).toThrow(RangeError);
    expect(() => makeActor({ memberNumber: 0, tenureHigh: 0, tenureLow: 2 ** 32 })).toThrow(RangeError);
  });
});

describe('VersionVector', () => {
  it('decodes what it encoded, and one vector has one encoding', () => {
    fc.assert(
      fc.property(vector, vector, (one, other) => {
        expect(VersionVector.decode(one.encode()).equals(one)).toBe(true);
        expect(one.encode().equals(other.encode())).toBe(one.equals(other));
      }),
    );
  });

  it('is the same whatever the order in which entries came', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(actor, counter)), (entries) => {
        expect(VersionVector.of(entries).encode()).toEqual(VersionVector.of(entries.toReversed()).encode());
      }),
    );
  });

  it('joins to the least upper bound', () => {
    fc.assert(
      fc.property(vector, vector, vector, (one, other, third) => {
        const joined = one.join(other);
        expect(joined.equals(other.join(one))).toBe(true);
        expect(joined.join(third).equals(one.join(other.join(third)))).toBe(true);
        expect(one.join(one)).toBe(one);
        expect(joined.includes(one) && joined.includes(other)).toBe(true);
        if (third.includes(one) && third.includes(other)) expect(third.includes(joined)).toBe(true);
      }),
    );
  });

  it('includes exactly the vectors that it covers entry by entry', () => {
    fc.assert(
      fc.property(vector, vector, (one, other) => {
        const all = [...other.entries()].every(([who, count]) => one.covers({ actor: who, counter: count }));
        expect(one.includes(other)).toBe(all);
        expect(one.equals(other)).toBe(one.includes(other) && other.includes(one));
      }),
    );
  });

  it('covers a dot once it has it, and everything of the actor before it', () => {
    fc.assert(
      fc.property(vector, dot, (one, added) => {
        const after = one.with(added);
        expect(after.covers(added)).toBe(true);
        expect(after.equals(one)).toBe(one.covers(added));
        expect(after.includes(one)).toBe(true);
        expect(after.get(added.actor)).toBe(Math.max(one.get(added.actor), added.counter));
      }),
    );
  });

  it('never changes', () => {
    const one = VersionVector.of([[B, 2]]);
    one.with({ actor: A, counter: 9 });
    one.join(VersionVector.of([[A, 3]]));
    expect([...one.entries()]).toEqual([[B, 2]]);
    expect(VersionVector.EMPTY.isEmpty).toBe(true);
  });

  it('refuses a counter that none can have', () => {
    expect(() => VersionVector.EMPTY.with({ actor: A, counter: 0 })).toThrow(RangeError);
    expect(() => VersionVector.EMPTY.with({ actor: A, counter: 2 ** 53 })).toThrow(RangeError);
  });

  it('refuses bytes that are not canonical', () => {
    const entry = (who: string, count: string): string => Buffer.from(who, 'latin1').toString('hex') + count;
    const bad = [
      '',
      '01',
      `01${entry(A, '00')}`,
      `01${entry(A, '8100')}`,
      `01${entry(A, '01')}00`,
      `02${entry(A, '01')}`,
    ];
    bad.push(`02${entry(A, '01')}${entry(A, '02')}`, `02${entry(B, '01')}${entry(A, '02')}`, 'ffffffffffffff0f');
    for (const hex of bad) {
      expect(() => VersionVector.decode(Buffer.from(hex, 'hex')), hex).toThrow(
        expect.objectContaining({ code: 'REPLICATION_BAD_CONTEXT' }),
      );
    }
  });
});
