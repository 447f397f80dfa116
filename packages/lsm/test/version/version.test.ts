import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND_PUT, makeInternalKey } from '../../src/internal-key.ts';
import { decodeCurrent, encodeCurrent } from '../../src/version/current-file.ts';
import { applyEdit, EMPTY_STATE, snapshotEdit } from '../../src/version/engine-state.ts';
import { type TableMeta, Version } from '../../src/version/version.ts';
import { decodeEdit, encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts';

function table(number: number, from: string, to: string, sequence = number): TableMeta {
  return {
    number,
    sizeBytes: 100 + number,
    salt: [number, 0xffffffff],
    smallest: makeInternalKey(Buffer.from(from), sequence, KIND_PUT),
    largest: makeInternalKey(Buffer.from(to), sequence, KIND_PUT),
    smallestSequence: sequence,
    largestSequence: sequence,
    globalSequence: 0,
    entries: 3,
    checksum: 0x89abcdef,
    properties: new Map([['colour', Buffer.from('blue')]]),
  };
}

describe('a version', () => {
  it('keeps level 0 newest first and the others by key', () => {
    const version = Version.empty.apply(
      [
        { level: 0, table: table(1, 'a', 'z') },
        { level: 0, table: table(2, 'a', 'z') },
        { level: 1, table: table(4, 'm', 'p') },
        { level: 1, table: table(3, 'a', 'c') },
      ],
      [],
    );
    expect(version.level(0).map(({ number }) => number)).toEqual([2, 1]);
    expect(version.level(1).map(({ number }) => number)).toEqual([3, 4]);
    expect(version.tableFor(1, Buffer.from('b'))?.number).toBe(3);
    expect(version.tableFor(1, Buffer.from('d'))).toBeUndefined();
    expect(version.tableFor(1, Buffer.from('p'))?.number).toBe(4);
    expect(version.overlapping(1, Buffer.from('c'), Buffer.from('l')).map(({ number }) => number)).toEqual([3]);
  });

  it('refuses tables of one level that share a user key', () => {
    const one = Version.empty.apply([{ level: 1, table: table(1, 'a', 'c') }], []);
    expect(() => one.apply([{ level: 1, table: table(2, 'c', 'd') }], [])).toThrow(/overlap/);
    expect(() => one.apply([], [{ level: 2, number: 1 }])).toThrow(/not in level 2/);
    expect(Version.empty.level(1)).toEqual([]);
  });
});

const number = fc.maxSafeNat();
const edit: fc.Arbitrary<VersionEdit> = fc.record(
  {
    mergeOperatorName: fc.string(),
    nextFileNumber: number,
    lastSequence: number,
    logs: fc.array(fc.record({ number, durableLength: number })),
    added: fc.array(fc.record({ level: fc.nat(6), table: fc.nat(1000).map((n) => table(n, 'a', 'b', n)) }), {
      maxLength: 3,
    }),
    removed: fc.array(fc.record({ level: fc.nat(6), number })),
    pointers: fc.array(fc.record({ level: fc.nat(6), key: fc.uint8Array().map((bytes) => Buffer.from(bytes)) })),
  },
  { requiredKeys: ['added', 'removed', 'pointers'] },
);

describe('a version edit', () => {
  it('is decoded as it was encoded', () => {
    fc.assert(
      fc.property(edit, (value) => {
        expect(decodeEdit(encodeEdit(value))).toEqual(value);
      }),
    );
  });

  it('skips fields that a newer version may add, and refuses those that it may not skip', () => {
    const known = encodeEdit({ lastSequence: 7 });
    expect(decodeEdit(Buffer.concat([known, Buffer.from([64, 2, 1, 1])])).lastSequence).toBe(7);
    const unknown = expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' });
    expect(() => decodeEdit(Buffer.concat([known, Buffer.from([9, 1, 1])]))).toThrow(unknown);
    expect(() => decodeEdit(Buffer.from([3, 9, 1]))).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION' }));
  });

  it('of a snapshot makes the state it was taken of', () => {
    const state = applyEdit(EMPTY_STATE, {
      lastSequence: 12,
      logs: [{ number: 4, durableLength: 60 }],
      added: [
        { level: 0, table: table(1, 'a', 'z') },
        { level: 2, table: table(2, 'b', 'c') },
      ],
      pointers: [{ level: 1, key: makeInternalKey(Buffer.from('q'), 3, KIND_PUT) }],
    });
    expect(applyEdit(EMPTY_STATE, snapshotEdit(state))).toEqual(state);
  });
});

describe('CURRENT', () => {
  it('names a MANIFEST, and is damaged when any bit of it changes', () => {
    const bytes = encodeCurrent(7);
    expect(bytes.toString()).toMatch(/^MANIFEST-000007 [0-9a-f]{8}\n$/);
    expect(decodeCurrent(bytes, 'CURRENT')).toBe(7);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => decodeCurrent(changed, 'CURRENT')).toThrow(expect.objectContaining({ kind: 'manifest' }));
    }
  });
});
