import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressOfStorageKey,
  decodeAddress,
  encodeAddress,
  FAMILY,
  familyPrefix,
  hintKey,
  hintPrefix,
  LOCAL_SLOT,
  localKey,
  NO_KEYSPACE,
  parseHintKey,
  prefixEnd,
  SLOT_MAX,
  slotHashKey,
  slotOfAddress,
  slotPrefix,
  slotStateKey,
  storageKey,
} from '../src/address.ts';
import { keyBytes } from './arbitraries.ts';

const address = fc.record({
  slot: fc.constantFrom(0, 1, 255, 256, SLOT_MAX),
  keyspace: fc.constantFrom(0, 1, NO_KEYSPACE - 1),
  generation: fc.constantFrom(0, 1, 0xffffffff),
  key: keyBytes,
  subkey: keyBytes,
});
const target = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);
const bad = expect.objectContaining({ code: 'REPLICATION_BAD_ADDRESS' });

describe('addresses', () => {
  it('decode to what was encoded', () => {
    fc.assert(
      fc.property(address, (one) => {
        const bytes = encodeAddress(one);
        expect(decodeAddress(bytes)).toEqual(one);
        expect(slotOfAddress(bytes)).toBe(one.slot);
      }),
    );
  });

  it('order as their parts do, in every family', () => {
    const parts = (one: { slot: number; keyspace: number; generation: number }): number[] => [
      one.slot,
      one.keyspace,
      one.generation,
    ];
    fc.assert(
      fc.property(address, address, (one, other) => {
        const byPlace = parts(one)
          .map((part, i) => part - (parts(other)[i] as number))
          .find((difference) => difference !== 0);
        const byKey = Buffer.compare(one.key, other.key) || Buffer.compare(one.subkey, other.subkey);
        const expected = Math.sign(byPlace ?? byKey);
        const [left, right] = [encodeAddress(one), encodeAddress(other)];
        expect(Buffer.compare(left, right)).toBe(expected);
        expect(Buffer.compare(storageKey(left, FAMILY.records), storageKey(right, FAMILY.records))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('come back from storage keys, of their own family only', () => {
    fc.assert(
      fc.property(address, (one) => {
        const bytes = encodeAddress(one);
        const key = storageKey(bytes, FAMILY.records);
        expect(addressOfStorageKey(key, FAMILY.records)).toEqual(bytes);
        expect(() => addressOfStorageKey(key, FAMILY.incoming)).toThrow(bad);
        expect(key.subarray(0, 9)).toEqual(familyPrefix(one, FAMILY.records));
        expect(storageKey(bytes, FAMILY.records, Buffer.from([9]))).toEqual(Buffer.concat([key, Buffer.from([9])]));
      }),
    );
  });

  it('with bytes that none has are refused', () => {
    const place = '0001000000000000';
    for (const hex of [
      '',
      '00',
      place,
      `${place}61`,
      `${place}6100`,
      `${place}61000261`,
      `4000${place.slice(4)}0001`,
    ]) {
      expect(() => decodeAddress(Buffer.from(hex, 'hex')), hex).toThrow(bad);
    }
    expect(() => decodeAddress(Buffer.from(`0001ffff${place.slice(8)}0001`, 'hex'))).toThrow(bad);
  });

  it('with parts out of range cannot be made', () => {
    const one = { slot: 0, keyspace: 0, generation: 0, key: Buffer.alloc(0), subkey: Buffer.alloc(0) };
    for (const part of [{ slot: SLOT_MAX + 1 }, { slot: -1 }, { keyspace: NO_KEYSPACE }, { generation: 2 ** 32 }]) {
      expect(() => encodeAddress({ ...one, ...part })).toThrow(RangeError);
    }
  });

  it('are the bytes of docs/formats.md', () => {
    const bytes = encodeAddress({
      slot: 12739,
      keyspace: 0,
      generation: 0,
      key: Buffer.from('a\0b'),
      subkey: Buffer.from('f'),
    });
    expect(bytes.toString('hex')).toBe('31c30000000000006100ff62000166');
    expect(storageKey(bytes, FAMILY.records).toString('hex')).toBe('31c3000000000000016100ff62000166');
    expect(hintKey(bytes, 'n2').toString('hex')).toBe('31c3000000000000036100ff6200016600016e32');
  });
});

describe('hint keys', () => {
  it('parse to address and target, and begin with their record', () => {
    fc.assert(
      fc.property(address, target, (one, id) => {
        const bytes = encodeAddress(one);
        const key = hintKey(bytes, id);
        expect(parseHintKey(key)).toEqual({ address: bytes, target: id });
        expect(key.subarray(0, hintPrefix(bytes).length)).toEqual(hintPrefix(bytes));
      }),
    );
  });

  it('of one record are no prefix of those of another', () => {
    fc.assert(
      fc.property(address, address, target, (one, other, id) => {
        fc.pre(!encodeAddress(one).equals(encodeAddress(other)));
        const prefix = hintPrefix(encodeAddress(one));
        expect(hintKey(encodeAddress(other), id).subarray(0, prefix.length)).not.toEqual(prefix);
      }),
    );
  });
});

describe('keys of slots and of the node', () => {
  it('lie in their slot, behind or beside the records', () => {
    const place = { slot: 7, keyspace: 0, generation: 1 };
    for (const key of [slotHashKey(place, 3), slotStateKey(7, 'tenure')]) {
      expect(key.subarray(0, 2)).toEqual(slotPrefix(7));
    }
    expect(slotHashKey(place, 3).toString('hex')).toBe('0007000000000001' + '04' + '03');
    expect(slotStateKey(7, 'tenure').toString('hex')).toBe(
      `0007ffffffffffff05${Buffer.from('tenure').toString('hex')}`,
    );
    expect(localKey(FAMILY.nodeState, Buffer.from('lease')).toString('hex')).toBe(
      `ffff00000000000010${Buffer.from('lease').toString('hex')}`,
    );
    expect(LOCAL_SLOT).toBeGreaterThan(SLOT_MAX);
  });

  it('end where the prefix ends', () => {
    expect(prefixEnd(Buffer.from('01ff', 'hex'))?.toString('hex')).toBe('02');
    expect(prefixEnd(Buffer.from('0001', 'hex'))?.toString('hex')).toBe('0002');
    expect(prefixEnd(Buffer.from('ffff', 'hex'))).toBeUndefined();
  });
});
