import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  readUInt64BE,
  readUInt64LE,
  readVarint,
  varintLength,
  writeUInt64BE,
  writeUInt64LE,
  writeVarint,
} from '../src/encoding.ts';

const integers = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.integer({ min: 0, max: 53 }).map((bits) => 2 ** bits - 1),
);

describe('varints', () => {
  test('every safe integer reads back, in the length announced', () => {
    fc.assert(
      fc.property(integers, fc.nat(5), (value, at) => {
        const bytes = Buffer.alloc(16, 0xff);
        const end = writeVarint(bytes, at, value);
        const cursor = { at };
        expect(readVarint(bytes, cursor)).toBe(value);
        expect(cursor.at).toBe(end);
        expect(end - at).toBe(varintLength(value));
      }),
    );
  });

  test('the worked examples of docs/formats.md hold', () => {
    const bytes = Buffer.alloc(8);
    expect(bytes.subarray(0, writeVarint(bytes, 0, 300)).toString('hex')).toBe('ac02');
    expect(bytes.subarray(0, writeVarint(bytes, 0, 2 ** 53 - 1)).toString('hex')).toBe('ffffffffffffff0f');
  });

  test('a malformed varint is corruption', () => {
    const corrupt = expect.objectContaining({ code: 'LSM_CORRUPTION' });
    for (const hex of ['', '80', 'ffff', '8000', 'ffffffffffffff10', 'ffffffffffffffffff01']) {
      expect(() => readVarint(Buffer.from(hex, 'hex'), { at: 0 })).toThrow(corrupt);
    }
    expect(() => readVarint(Buffer.from('ac02', 'hex'), { at: 0 }, 1)).toThrow(corrupt);
  });

  test('what is no safe integer cannot be written', () => {
    for (const value of [-1, 2 ** 53, Number.NaN]) {
      expect(() => writeVarint(Buffer.alloc(9), 0, value)).toThrow(RangeError);
    }
  });
});

describe('64-bit integers', () => {
  test('both byte orders read back', () => {
    fc.assert(
      fc.property(integers, (value) => {
        const bytes = Buffer.alloc(16);
        writeUInt64LE(bytes, 0, value);
        writeUInt64BE(bytes, 8, value);
        expect(readUInt64LE(bytes, 0)).toBe(value);
        expect(readUInt64BE(bytes, 8)).toBe(value);
        expect(bytes.readBigUInt64LE(0)).toBe(BigInt(value));
        expect(bytes.readBigUInt64BE(8)).toBe(BigInt(value));
      }),
    );
  });

  test('above 2^53 - 1 is corruption', () => {
    const bytes = Buffer.from('0020000000000000', 'hex');
    expect(() => readUInt64BE(bytes, 0)).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION' }));
    expect(() => readUInt64LE(bytes.reverse(), 0)).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION' }));
  });
});
