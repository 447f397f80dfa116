import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DottedRecord, mergeRecords, siblings, winner } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-codec.ts';
import { addStep, CounterHistory, type CounterStep, mergeStep, repeatStep, setStep } from './counter-history.ts';

const stepsOf = (...kinds: fc.Arbitrary<unknown>[]): fc.Arbitrary<CounterStep[]> =>
  fc.array(fc.oneof(...kinds) as fc.Arbitrary<CounterStep>, { minLength: 1, maxLength: 40 });
const withSets = stepsOf(addStep, addStep, addStep, mergeStep, mergeStep, setStep);
const withRepeats = stepsOf(addStep, addStep, repeatStep, mergeStep);
const anything = stepsOf(addStep, repeatStep, mergeStep, setStep);

describe('a counter', () => {
  it('shows the latest base and every addition that no SET or DEL has seen', () => {
    fc.assert(
      fc.property(withSets, (steps) => {
        const history = new CounterHistory(steps);
        for (const each of history.coordinators) expect(history.shown(each)).toBe(history.expected(each));
        history.settle();
        for (const each of history.coordinators) expect(history.shown(each)).toBe(history.expected(each));
      }),
      { numRuns: 2000 },
    );
  });

  it('counts a request once, whatever coordinators have run it', () => {
    fc.assert(
      fc.property(withRepeats, (steps) => {
        const history = new CounterHistory(steps);
        for (const each of history.coordinators) expect(history.shown(each)).toBe(history.expected(each));
        history.settle();
        for (const each of history.coordinators) expect(history.shown(each)).toBe(history.expected(each));
      }),
      { numRuns: 1000 },
    );
  });

  it('merges by the laws of records, to the byte, and comes back from its bytes', () => {
    fc.assert(
      fc.property(anything, fc.nat(), fc.nat(), fc.nat(), (steps, i, j, k) => {
        const { states } = new CounterHistory(steps);
        fc.pre(states.length > 0);
        const pick = (n: number): DottedRecord => states[n % states.length] as DottedRecord;
        const [a, b, c] = [pick(i), pick(j), pick(k)];
        const ab = mergeRecords(a, b);
        expect(encodeRecord(ab)).toEqual(encodeRecord(mergeRecords(b, a)));
        expect(encodeRecord(mergeRecords(ab, c))).toEqual(encodeRecord(mergeRecords(a, mergeRecords(b, c))));
        expect(mergeRecords(ab, b)).toBe(ab);
        expect(encodeRecord(decodeRecord(encodeRecord(ab)))).toEqual(encodeRecord(ab));
      }),
      { numRuns: 500 },
    );
  });

  it('has one delta for each coordinator, and shows its value once', () => {
    const history = new CounterHistory([
      { what: 'add', at: 0, amount: 1 },
      { what: 'add', at: 0, amount: 1 },
      { what: 'add', at: 1, amount: 5 },
      { what: 'merge', at: 0, from: 1 },
    ]);
    const record = history.coordinators[0]?.record as DottedRecord;
    expect(record.values.map(({ delta }) => delta)).toEqual([true, true]);
    expect(siblings(record).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['7']);
    expect(winner(record)).toMatchObject({ delta: false, tombstone: false });
  });

  it('keeps a SET on top of which nothing was added as small as any', () => {
    const history = new CounterHistory([
      { what: 'add', at: 0, amount: 1 },
      { what: 'set', at: 0, amount: 7 },
      { what: 'add', at: 0, amount: 1 },
      { what: 'set', at: 0, amount: 7 },
    ]);
    expect(history.coordinators[0]?.record?.values).toMatchObject([{ delta: false, extensions: undefined }]);
  });
});
