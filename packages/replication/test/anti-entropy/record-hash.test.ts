import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeActor } from '../../src/dot.ts';
import {
  addHashes,
  hashesEqual,
  hashOfCluster,
  leafBytes,
  leafChange,
  leafOfBytes,
  murmur3,
  recordHash,
  subtractHashes,
  ZERO_HASH,
} from '../../src/anti-entropy/record-hash.ts';
import type { Hash128 } from '../../src/messages.ts';
import { applyDeadline, applyWrite, stripExpired } from '../../src/record.ts';
import { encodeRecord } from '../../src/record-codec.ts';

const lane = fc.integer({ min: 0, max: 0xffffffff });
const hash: fc.Arbitrary<Hash128> = fc.tuple(lane, lane, lane, lane);
const hex = (value: Hash128): string => value.map((word) => word.toString(16).padStart(8, '0')).join('');

describe('MurmurHash3 x86 128', () => {
  it('gives the published values', () => {
    const of = (text: string): string => hex(murmur3(Buffer.from(text), text.length, 0));
    expect(of('')).toBe('00000000000000000000000000000000');
    expect(of('I will not buy this record, it is scratched.')).toBe('a0a9683b25ac5e40d9af2895890dddf5');
    expect(of('The quick brown fox jumps over the lazy dog')).toBe('2f1583c3ecee2c675d7bf66ce5e91d2c');
  });

  it('passes the verification of SMHasher, over all lengths of tails and many seeds', () => {
    const keys = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const hashes = Array.from({ length: 256 }, (_, i) => leafBytes(murmur3(keys, i, 256 - i)));
    expect(murmur3(Buffer.concat(hashes), 256 * 16, 0)[0]).toBe(0xb3ece62a);
  });
});

describe('recordHash', () => {
  const actor = makeActor({ memberNumber: 1, tenureHigh: 1, tenureLow: 1 });
  const record = applyWrite(undefined, {
    dot: { actor, counter: 1 },
    hybridTime: 1,
    value: Buffer.from('v'),
    supersedes: 'held',
    deadlineMs: 9,
  });
  const address = Buffer.from('address');
  const of = (one = record, where = address, seed = 1): string => hex(recordHash(seed, where, encodeRecord(one)));

  it('depends on the cluster, the address, the values and their deadlines', () => {
    const other = applyWrite(undefined, {
      dot: { actor, counter: 1 },
      hybridTime: 1,
      value: Buffer.from('w'),
      supersedes: 'held',
      deadlineMs: 9,
    });
    const later = applyDeadline(record, { atMs: 10, dot: { actor, counter: 2 } });
    const hashes = [of(), of(record, address, 2), of(record, Buffer.from('addresS')), of(other), of(later)];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(hashOfCluster(Buffer.from('cluster a'))).not.toBe(hashOfCluster(Buffer.from('cluster b')));
  });

  it('does not change when expired bytes are stripped', () => {
    expect(of(stripExpired(record, 9))).toBe(of());
  });

  it('has room for long addresses', () => {
    expect(of(record, Buffer.alloc(70_000, 1))).not.toBe(of(record, Buffer.alloc(70_000, 2)));
  });
});

describe('leaves', () => {
  it('are kept by adding changes, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, hash)), (changes) => {
        const sum = changes.reduce<Hash128>(
          (leaf, [before, after]) => addHashes(leaf, leafChange(before, after)),
          ZERO_HASH,
        );
        const added = changes.reduce<Hash128>((leaf, [, after]) => addHashes(leaf, after), ZERO_HASH);
        const all = changes.reduceRight<Hash128>((leaf, [before]) => subtractHashes(leaf, before), added);
        expect(hashesEqual(sum, all)).toBe(true);
      }),
    );
  });

  it('come and go by the record that comes and goes', () => {
    fc.assert(
      fc.property(hash, hash, (leaf, one) => {
        const with_ = addHashes(leaf, leafChange(undefined, one));
        expect(addHashes(with_, leafChange(one, undefined))).toEqual(leaf);
        expect(hashesEqual(with_, leaf)).toBe(hashesEqual(one, ZERO_HASH));
      }),
    );
  });

  it('are sixteen bytes, little-endian', () => {
    fc.assert(
      fc.property(hash, (leaf) => {
        expect(leafOfBytes(leafBytes(leaf))).toEqual(leaf);
      }),
    );
    expect(leafBytes([1, 2, 3, 0xfffffffe]).toString('hex')).toBe('010000000200000003000000feffffff');
    expect(() => leafOfBytes(Buffer.alloc(15))).toThrow(RangeError);
  });
});
