/**
 * Goal: rewriting may forget only what nobody can see. Method: random entries of one key in stripes of snapshots, over a
 * random older base in deeper levels; every reader must see the same before and after, and no less can be kept.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyFold } from '../../src/compaction/key-fold.ts';
import {
  KIND_BLOB_REFERENCE,
  KIND_DELETE,
  KIND_MERGE,
  KIND_PUT,
  KIND_RANGE_DELETE,
  kindAt,
  makeInternalKey,
  sequenceAt,
} from '../../src/internal-key.ts';
import { type MergeOperator, mergeOperator } from '../../src/merge-operator.ts';

/** Shows every operand and its order. */
const concatenate: MergeOperator = {
  name: 'concatenate',
  merge: (base, operands) => Buffer.concat(base === undefined ? operands : [base, ...operands]),
};

interface Version {
  readonly sequence: number;
  readonly kind: number;
  readonly value: string;
}

interface Fold {
  readonly versions: readonly Version[];
  readonly snapshots: readonly number[];
  readonly bottommost: boolean;
}

const USER_KEY = Buffer.from('key');

function fold({ versions, snapshots, bottommost }: Fold, operator: MergeOperator | undefined = concatenate) {
  const kept: Version[] = [];
  const keyFold = new KeyFold({
    snapshots,
    bottommost,
    operator,
    emit: (key, value) =>
      kept.push({ sequence: sequenceAt(key, key.length), kind: kindAt(key, key.length), value: value.toString() }),
  });
  keyFold.startKey(USER_KEY);
  for (const { sequence, kind, value } of versions) {
    keyFold.add(makeInternalKey(USER_KEY, sequence, kind), sequence, kind, Buffer.from(value));
  }
  keyFold.finishKey();
  return { kept, dropped: keyFold.dropped, folded: keyFold.folded };
}

/** What a reader at `snapshot` sees, over a base value from deeper levels. */
function see(versions: readonly Version[], snapshot: number, base: string | undefined): string | undefined {
  let operands = '';
  for (const { sequence, kind, value } of versions) {
    if (sequence > snapshot) continue;
    if (kind === KIND_PUT) return value + operands;
    if (kind === KIND_DELETE) return operands === '' ? undefined : operands;
    operands = value + operands;
  }
  if (base !== undefined) return base + operands;
  return operands === '' ? undefined : operands;
}

const put = (sequence: number, value = `p${sequence}`): Version => ({ sequence, kind: KIND_PUT, value });
const del = (sequence: number): Version => ({ sequence, kind: KIND_DELETE, value: '' });
const operand = (sequence: number, value = `m${sequence}`): Version => ({ sequence, kind: KIND_MERGE, value });

const versions = fc
  .uniqueArray(
    fc.record({
      sequence: fc.integer({ min: 1, max: 30 }),
      kind: fc.constantFrom(KIND_PUT, KIND_DELETE, KIND_MERGE, KIND_MERGE),
    }),
    {
      minLength: 1,
      maxLength: 12,
      selector: ({ sequence }) => sequence,
    },
  )
  .map((list) =>
    list
      .sort((a, b) => b.sequence - a.sequence)
      .map(({ sequence, kind }) => ({ sequence, kind, value: kind === KIND_DELETE ? '' : `<${sequence}>` })),
  );
const snapshots = fc.uniqueArray(fc.nat(31), { maxLength: 4 }).map((list) => list.sort((a, b) => a - b));

describe('what stays of a key', () => {
  test('shows every reader what it saw before, over any base in deeper levels', () => {
    fc.assert(
      fc.property(versions, snapshots, fc.boolean(), (list, taken, bottommost) => {
        const { kept } = fold({ versions: list, snapshots: taken, bottommost });
        const bases = bottommost ? [undefined] : [undefined, 'base'];
        for (const snapshot of [...taken, 1000]) {
          for (const base of bases) expect(see(kept, snapshot, base)).toBe(see(list, snapshot, base));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('accounts for every entry, newest first', () => {
    fc.assert(
      fc.property(versions, snapshots, fc.boolean(), (list, taken, bottommost) => {
        const { kept, dropped, folded } = fold({ versions: list, snapshots: taken, bottommost });
        expect(kept.length + dropped + folded).toBe(list.length);
        for (let i = 1; i < kept.length; i++) expect(kept[i]!.sequence).toBeLessThan(kept[i - 1]!.sequence);
      }),
    );
  });

  test('is one entry for each stripe at most, and no delete over nothing at the bottom', () => {
    fc.assert(
      fc.property(versions, snapshots, fc.boolean(), (list, taken, bottommost) => {
        const { kept, dropped } = fold({ versions: list, snapshots: taken, bottommost });
        const stripes = kept.map(({ sequence }) => taken.filter((snapshot) => snapshot < sequence).length);
        expect(new Set(stripes).size).toBe(stripes.length);
        if (bottommost) {
          expect(kept.at(-1)?.kind).not.toBe(KIND_DELETE);
          // Operands over a delete that went stay operands: without a base they read the same.
          if (dropped === 0) expect(kept.at(-1)?.kind).not.toBe(KIND_MERGE);
        }
      }),
    );
  });

  test('is the newest put alone when there is no snapshot', () => {
    expect(fold({ versions: [put(3), put(2), del(1)], snapshots: [], bottommost: false })).toEqual({
      kept: [put(3)],
      dropped: 2,
      folded: 0,
    });
  });

  test('keeps a delete above deeper levels, and one that hides a value from newer readers', () => {
    expect(fold({ versions: [del(5)], snapshots: [], bottommost: false }).kept).toEqual([del(5)]);
    expect(fold({ versions: [del(5)], snapshots: [], bottommost: true }).kept).toEqual([]);
    expect(fold({ versions: [del(5), put(2)], snapshots: [3], bottommost: true }).kept).toEqual([del(5), put(2)]);
    expect(fold({ versions: [del(5), del(2)], snapshots: [3], bottommost: true }).kept).toEqual([]);
  });

  test('folds operands into a put on their base, on a delete, or at the bottom', () => {
    const folded = (list: Version[], bottommost = false, taken: number[] = []) =>
      fold({ versions: list, snapshots: taken, bottommost });
    expect(folded([operand(3), operand(2), put(1)])).toEqual({ kept: [put(3, 'p1m2m3')], dropped: 0, folded: 2 });
    expect(folded([operand(3), del(2), put(1)])).toEqual({ kept: [put(3, 'm3')], dropped: 1, folded: 1 });
    expect(folded([operand(3), operand(2)])).toEqual({ kept: [operand(3, 'm2m3')], dropped: 0, folded: 1 });
    expect(folded([operand(3), operand(2)], true)).toEqual({ kept: [put(3, 'm2m3')], dropped: 0, folded: 1 });
    expect(folded([operand(3), operand(2), put(1)], false, [2]).kept).toEqual([operand(3), put(2, 'p1m2')]);
  });

  test('counts an entry once that two sources hold', () => {
    expect(fold({ versions: [operand(3), operand(3), operand(2)], snapshots: [], bottommost: true }).kept).toEqual([
      put(3, 'm2m3'),
    ]);
  });
});

describe('a key fold refuses', () => {
  test('operands without an operator', () => {
    expect(() => {
      const keyFold = new KeyFold({ snapshots: [], bottommost: false, operator: undefined, emit: () => undefined });
      keyFold.startKey(USER_KEY);
      keyFold.add(makeInternalKey(USER_KEY, 1, KIND_MERGE), 1, KIND_MERGE, Buffer.from('x'));
    }).toThrow(expect.objectContaining({ code: 'LSM_OPTIONS' }));
  });

  test('kinds that format 1 reserves', () => {
    for (const kind of [KIND_RANGE_DELETE, KIND_BLOB_REFERENCE, 77]) {
      expect(() => fold({ versions: [{ sequence: 1, kind, value: '' }], snapshots: [], bottommost: true })).toThrow(
        expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }),
      );
    }
  });
});

test('sums of uint32-add are the same whatever is folded first', () => {
  const operator = mergeOperator('uint32-add') as MergeOperator;
  const lanes = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 2, maxLength: 2 }).map((list) => {
    const bytes = Buffer.alloc(8);
    for (const [i, lane] of list.entries()) bytes.writeUInt32LE(lane, i * 4);
    return bytes;
  });
  fc.assert(
    fc.property(fc.array(lanes, { minLength: 2, maxLength: 6 }), fc.nat(5), (operands, cut) => {
      const at = 1 + (cut % (operands.length - 1));
      const whole = operator.merge(undefined, operands);
      const parts = operator.merge(operator.merge(undefined, operands.slice(0, at)), [
        operator.merge(undefined, operands.slice(at)),
      ]);
      expect(parts).toEqual(whole);
    }),
  );
});
