import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE } from '../../src/crdt/decimal.ts';
import {
  countIds,
  type Delta,
  decodeDelta,
  eachId,
  encodeDelta,
  ID_BYTES,
  IDS_MAX,
  type IdGroup,
  idOfRequest,
  remembers,
  sumOfDelta,
  withId,
} from '../../src/crdt/delta.ts';

const id = (n: number): Buffer => idOfRequest({ entry: 'n1', incarnation: 1, n });
const amount = fc.bigInt({ min: -300n, max: 300n }).map((value) => value * (ONE / 2n));
const ids = fc
  .uint8Array({ minLength: 1, maxLength: 4 })
  .map((bytes) => Buffer.concat([...bytes].map((byte) => id(byte))));
const groups = fc.array(fc.record({ amount, ids }), { maxLength: 4 });
const delta = fc.record({ start: fc.integer({ min: 1, max: 2 ** 40 }), sum: amount, recent: groups, repeated: groups });
const bad = expect.objectContaining({ code: 'REPLICATION_BAD_RECORD' });

const listed = (all: readonly IdGroup[]): string[] => {
  const names: string[] = [];
  eachId(all, (each) => void names.push(each.toString('hex')));
  return names;
};

describe('a delta', () => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(delta, (each: Delta) => {
        const bytes = encodeDelta(each);
        expect(decodeDelta(bytes)).toEqual(each);
        expect(sumOfDelta(bytes)).toBe(each.sum);
        for (let cut = 0; cut < bytes.length; cut++) expect(() => decodeDelta(bytes.subarray(0, cut))).toThrow(bad);
        expect(() => decodeDelta(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(bad);
      }),
    );
  });

  it('refuses a run from nowhere and ids that are cut', () => {
    const whole: Delta = { start: 1, sum: 0n, recent: [{ amount: 0n, ids: id(1) }], repeated: [] };
    expect(() => decodeDelta(encodeDelta({ ...whole, start: 0 }))).toThrow(bad);
    const cut = [{ amount: 0n, ids: Buffer.concat([id(1), Buffer.alloc(3)]) }];
    expect(() => decodeDelta(encodeDelta({ ...whole, recent: cut }))).toThrow(bad);
  });

  it('remembers the latest ids, by amount, and forgets the oldest', () => {
    let all: IdGroup[] = [];
    for (let n = 0; n < IDS_MAX + 10; n++) {
      all = withId(all, n < 5 ? 1n : 2n, id(n));
      expect(countIds(all)).toBe(Math.min(n + 1, IDS_MAX));
    }
    expect(listed(all)).toEqual(Array.from({ length: IDS_MAX }, (_, i) => id(i + 10).toString('hex')));
    expect(all).toHaveLength(1);
  });

  it('knows an id by all of it, and where ids begin', () => {
    const shifted = Buffer.alloc(2 * ID_BYTES, 1);
    id(7).copy(shifted, 3);
    const of = (recent: Buffer, repeated: Buffer): Delta => ({
      start: 1,
      sum: 0n,
      recent: [{ amount: 0n, ids: recent }],
      repeated: [{ amount: 0n, ids: repeated }],
    });
    expect(remembers(of(shifted, id(1)), id(7))).toBe(false);
    expect(remembers(of(Buffer.concat([shifted, id(7)]), id(1)), id(7))).toBe(true);
    expect(remembers(of(id(1), Buffer.concat([id(2), id(7)])), id(7))).toBe(true);
  });

  it('takes the token of a client for the id of its request', () => {
    expect(idOfRequest(Buffer.alloc(16, 1))).toHaveLength(ID_BYTES);
    expect(idOfRequest(Buffer.alloc(16, 1))).not.toEqual(idOfRequest(Buffer.alloc(16, 2)));
    expect(id(1)).not.toEqual(idOfRequest({ entry: 'n1', incarnation: 2, n: 1 }));
  });
});
