import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../src/checksum.ts';
import type { Dot } from '../src/dot.ts';
import {
  applyDeadline,
  applyWrite,
  type DottedRecord,
  deadlineMsOf,
  FOREVER_MS,
  isLive,
  mergeRecords,
  type RecordWrite,
  recordsEqual,
  SIBLINGS_MAX,
  siblings,
  stripExpired,
  winner,
} from '../src/record.ts';
import { encodeRecord } from '../src/record-codec.ts';
import { VersionVector } from '../src/version-vector.ts';
import { ACTORS } from './arbitraries.ts';
import { nameOf, play, step } from './history.ts';

const [A, B, C] = ACTORS as [Dot['actor'], Dot['actor'], Dot['actor']];
const steps = fc.array(step, { minLength: 1, maxLength: 30 });
const at = (actor: Dot['actor'], counter: number): Dot => ({ actor, counter });

function written(dot: Dot, text: string, rest: Partial<RecordWrite> = {}, base?: DottedRecord): DottedRecord {
  return applyWrite(base, { dot, hybridTime: 2048, value: Buffer.from(text), supersedes: 'held', ...rest });
}

function texts(record: DottedRecord): string[] {
  return record.values.map((value) => (value.tombstone ? '†' : Buffer.from(value.bytes ?? []).toString()));
}

describe('applyWrite', () => {
  it('supersedes all that is held', () => {
    const both = mergeRecords(written(at(A, 1), 'a'), written(at(B, 1), 'b'));
    expect(texts(both)).toEqual(['a', 'b']);
    expect(texts(written(at(A, 2), 'c', {}, both))).toEqual(['c']);
  });

  it('supersedes nothing when a sibling is wanted', () => {
    const one = written(at(B, 1), 'one');
    expect(texts(written(at(A, 2), 'two', { supersedes: 'nothing' }, one))).toEqual(['two', 'one']);
  });

  it('supersedes exactly what a context covers', () => {
    const base = written(at(A, 2), 'two', { supersedes: 'nothing' }, written(at(A, 1), 'one'));
    const after = written(at(B, 1), 'new', { supersedes: VersionVector.of([[A, 1]]) }, base);
    expect(texts(after)).toEqual(['two', 'new']);
    expect(
      after.context.equals(
        VersionVector.of([
          [A, 2],
          [B, 1],
        ]),
      ),
    ).toBe(true);
  });

  it('keeps what a context saw elsewhere superseded, also where that arrives later', () => {
    const elsewhere = written(at(C, 4), 'seen elsewhere');
    const after = written(at(A, 1), 'new', { supersedes: elsewhere.context });
    expect(texts(mergeRecords(after, elsewhere))).toEqual(['new']);
  });

  it('deletes by a value like any other', () => {
    const gone = written(at(A, 2), '', { value: 'tombstone' }, written(at(A, 1), 'a'));
    expect(texts(gone)).toEqual(['†']);
    expect(texts(mergeRecords(gone, written(at(A, 1), 'a')))).toEqual(['†']);
    expect(texts(mergeRecords(gone, written(at(B, 1), 'unseen')))).toEqual(['†', 'unseen']);
  });

  it('refuses a dot that was seen already, and a context that names the dot to be', () => {
    const base = written(at(A, 5), 'a');
    const reused = expect.objectContaining({ code: 'REPLICATION_DOT_REUSED' });
    expect(() => written(at(A, 5), 'b', {}, base)).toThrow(reused);
    expect(() => written(at(A, 4), 'b', { supersedes: 'nothing' }, base)).toThrow(reused);
    expect(() => applyDeadline(base, { atMs: 1, dot: at(A, 5) })).toThrow(reused);
    expect(() => written(at(B, 1), 'b', { supersedes: VersionVector.of([[B, 1]]) }, base)).toThrow(
      expect.objectContaining({ code: 'REPLICATION_BAD_CONTEXT' }),
    );
  });

  it('refuses one sibling too many, but a merge does not', () => {
    let record = written(at(A, 1), 'v');
    for (let counter = 2; counter <= SIBLINGS_MAX; counter++) {
      record = written(at(A, counter), 'v', { supersedes: 'nothing' }, record);
    }
    expect(() => written(at(A, 99), 'v', { supersedes: 'nothing' }, record)).toThrow(
      expect.objectContaining({ code: 'REPLICATION_TOO_MANY_SIBLINGS' }),
    );
    expect(mergeRecords(record, written(at(B, 1), 'v')).values).toHaveLength(SIBLINGS_MAX + 1);
    expect(written(at(A, 99), 'v', {}, record).values).toHaveLength(1);
  });
});

describe('winner', () => {
  it('is the sibling with the latest hybrid time, ties by actor', () => {
    const early = written(at(B, 1), 'early', { hybridTime: 1 });
    const late = written(at(A, 1), 'late', { hybridTime: 2 });
    expect(winner(mergeRecords(early, late))?.bytes.toString()).toBe('late');
    const tie = written(at(B, 1), 'tie', { hybridTime: 2 });
    expect(winner(mergeRecords(late, tie))?.bytes.toString()).toBe('tie');
  });

  it('is absent when the latest sibling is a tombstone, and siblings still shows the others', () => {
    const record = mergeRecords(
      written(at(B, 1), '', { value: 'tombstone', hybridTime: 9 }),
      written(at(A, 1), 'unseen', { hybridTime: 2 }),
    );
    expect(winner(record)).toBeUndefined();
    expect(isLive(record)).toBe(false);
    expect(siblings(record).map((value) => value.bytes.toString())).toEqual(['unseen']);
  });

  it('is absent once its deadline is due, and no older sibling comes back', () => {
    const record = mergeRecords(
      written(at(B, 1), 'short', { hybridTime: 9, deadlineMs: 100 }),
      written(at(A, 1), 'older', { hybridTime: 2 }),
    );
    expect(winner(record, 99)?.bytes.toString()).toBe('short');
    expect(winner(record, 100)).toBeUndefined();
    expect(siblings(record, 100).map((value) => value.bytes.toString())).toEqual(['older']);
  });
});

describe('deadlines', () => {
  const base = written(at(A, 1), 'v', { deadlineMs: 100 });
  const effective = (record: DottedRecord): number | undefined =>
    deadlineMsOf(record.values[0] as DottedRecord['values'][0]);

  it('are replaced by a causally later one, shorter or not', () => {
    const shorter = applyDeadline(base, { atMs: 50, dot: at(B, 1) });
    expect(effective(mergeRecords(base, shorter))).toBe(50);
    expect(effective(mergeRecords(shorter, base))).toBe(50);
  });

  it('that are concurrent give the longer', () => {
    const one = applyDeadline(base, { atMs: 50, dot: at(B, 1) });
    const other = applyDeadline(base, { atMs: 70, dot: at(C, 1) });
    expect(effective(mergeRecords(one, other))).toBe(70);
    const persisted = applyDeadline(base, { atMs: FOREVER_MS, dot: at(C, 2) });
    expect(effective(mergeRecords(one, persisted))).toBeUndefined();
  });

  it('go with their value', () => {
    expect(effective(written(at(A, 2), 'w', {}, base))).toBeUndefined();
  });

  it('let bytes be stripped when due, which a replica that still has them undoes', () => {
    expect(stripExpired(base, 99)).toBe(base);
    const stripped = stripExpired(base, 100);
    expect(stripped.values[0]).toMatchObject({ bytes: undefined, lengthBytes: 1, checksum: crc32(Buffer.from('v')) });
    expect(winner(stripped)).toBeUndefined();
    expect(recordsEqual(mergeRecords(stripped, base), base)).toBe(true);
    expect(mergeRecords(base, stripped)).toBe(base);
  });
});

describe('mergeRecords', () => {
  it('is associative, commutative and idempotent on all that replicas can hold, to the byte', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), fc.nat(), (history, i, j, k) => {
        const { states } = play(history);
        fc.pre(states.length > 0);
        const pick = (n: number): DottedRecord => states[n % states.length] as DottedRecord;
        const [a, b, c] = [pick(i), pick(j), pick(k)];
        const ab = mergeRecords(a, b);
        expect(encodeRecord(ab)).toEqual(encodeRecord(mergeRecords(b, a)));
        expect(encodeRecord(mergeRecords(ab, c))).toEqual(encodeRecord(mergeRecords(a, mergeRecords(b, c))));
        expect(mergeRecords(a, a)).toBe(a);
        expect(mergeRecords(ab, b)).toBe(ab);
        expect(mergeRecords(ab, a)).toBe(ab);
      }),
      { numRuns: 1000 },
    );
  });

  it('is exact: the siblings are the writes seen that no other write seen has superseded', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const { replicas, supersededBy } = play(history);
        for (const { record, seen } of replicas) {
          const gone = new Set([...seen].flatMap((name) => [...(supersededBy.get(name) ?? [])]));
          const expected = [...seen].filter((name) => !gone.has(name)).sort();
          expect((record?.values ?? []).map((value) => nameOf(value.dot)).sort()).toEqual(expected);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the left record itself exactly when the right one adds nothing', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (history, i, j) => {
        const { states } = play(history);
        fc.pre(states.length > 0);
        const a = states[i % states.length] as DottedRecord;
        const merged = mergeRecords(a, states[j % states.length] as DottedRecord);
        expect(merged === a).toBe(encodeRecord(merged).equals(encodeRecord(a)));
        expect(recordsEqual(merged, a)).toBe(merged === a);
      }),
    );
  });

  it('refuses two writes under one dot rather than choose', () => {
    const reused = expect.objectContaining({ code: 'REPLICATION_DOT_REUSED' });
    const one = written(at(A, 1), 'one');
    expect(() => mergeRecords(one, written(at(A, 1), 'two'))).toThrow(reused);
    expect(() => mergeRecords(one, written(at(A, 1), 'one', { hybridTime: 1 }))).toThrow(reused);
    const until = (atMs: number): DottedRecord => applyDeadline(one, { atMs, dot: at(B, 1) });
    expect(() => mergeRecords(until(1), until(2))).toThrow(reused);
  });
});
