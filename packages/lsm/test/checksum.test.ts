import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../src/checksum.ts';

const bytes = fc.oneof(
  fc.uint8Array(),
  fc.uint8Array({ minLength: 440, maxLength: 460 }),
  fc.uint8Array({ maxLength: 2000, size: 'max' }),
);

test('both implementations give the same function, with and without a seed', () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 0xffffffff }), (input, seed) => {
      expect(crc32(input)).toBe(zlibCrc32(input));
      expect(crc32(input, seed)).toBe(zlibCrc32(input, seed));
    }),
  );
});

test('a seed continues a checksum', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(crc32(b, crc32(a))).toBe(crc32(Buffer.concat([a, b])));
    }),
  );
});

test('the check value of CRC-32 is 0xcbf43926', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
});
