import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/checksum.ts';
import {
  blockChecksum,
  decodeFooter,
  encodeFooter,
  FOOTER_BYTES,
  type Footer,
  saltChecksum,
} from '../../src/sstable/format.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const handle = fc.record({ offset: fc.maxSafeNat(), length: u32 });
const footer: fc.Arbitrary<Footer> = fc.record({
  salt: fc.tuple(u32, u32),
  index: handle,
  filter: handle,
  properties: handle,
  indexLevels: fc.constantFrom(1 as const, 2 as const),
});

/** A footer whose u32 at `at` is another, with the checksum that belongs to it. */
function changed(at: number, value: number): Buffer {
  const none = { offset: 0, length: 0 };
  const bytes = encodeFooter({ salt: [1, 2], index: none, filter: none, properties: none, indexLevels: 1 });
  bytes.writeUInt32LE(value, at);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 68)), 68);
  return bytes;
}

describe('the footer', () => {
  test('reads back', () => {
    fc.assert(
      fc.property(footer, (value) => {
        const bytes = encodeFooter(value);
        expect(bytes.length).toBe(FOOTER_BYTES);
        expect(decodeFooter(bytes, 'f')).toEqual(value);
      }),
    );
  });

  test('of a newer format or with unknown incompatible features is refused as such', () => {
    expect(() => decodeFooter(changed(64, 2), 'f')).toThrow(
      expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }),
    );
    expect(() => decodeFooter(changed(52, 0x80000000), 'f')).toThrow(
      expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }),
    );
  });

  test('with unknown compatible features is read', () => {
    expect(decodeFooter(changed(48, 0x80000001), 'f').salt).toEqual([1, 2]);
  });

  test('with three index levels is corruption', () => {
    expect(() => decodeFooter(changed(44, 3), 'f')).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION' }));
  });
});

test('the checksum of a block depends on its salt, its offset and its bytes', () => {
  const bytes = Buffer.from('block');
  const sums = [
    blockChecksum(saltChecksum([1, 2]), 10, bytes),
    blockChecksum(saltChecksum([1, 3]), 10, bytes),
    blockChecksum(saltChecksum([2, 2]), 10, bytes),
    blockChecksum(saltChecksum([1, 2]), 11, bytes),
    blockChecksum(saltChecksum([1, 2]), 2 ** 33, bytes),
    blockChecksum(saltChecksum([1, 2]), 10, Buffer.from('blocK')),
  ];
  expect(new Set(sums).size).toBe(sums.length);
});
