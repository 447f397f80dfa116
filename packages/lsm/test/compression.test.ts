import { compressSync } from 'snappy';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODEC_SNAPPY, CODEC_ZSTD, compress, uncompress } from '../src/compression.ts';
import { LsmError } from '../src/errors.ts';

const corrupt = expect.objectContaining({ code: 'LSM_CORRUPTION' });

describe('snappy', () => {
  test('compressible bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 8, max: 200 }), (bytes, times) => {
        const input = Buffer.concat(Array.from({ length: times }, () => bytes));
        const stored = compress('snappy', input);
        if (stored !== undefined) expect(uncompress(CODEC_SNAPPY, stored)).toEqual(input);
        expect(stored === undefined).toBe(
          input.length === 0 || compressSync(input).length > (input.length * 7) / 8 + 1,
        );
      }),
    );
  });

  test('a long run of one byte passes the bound on expansion', () => {
    const input = Buffer.alloc(1 << 20, 7);
    expect(uncompress(CODEC_SNAPPY, compress('snappy', input) as Buffer)).toEqual(input);
  });

  test('what does not save an eighth is not kept, nor is anything with codec none', () => {
    const noise = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * i * 31 + (i >> 3) * 77) & 0xff));
    expect(compress('snappy', Buffer.concat([noise.subarray(0, 256)]))).toBeUndefined();
    expect(compress('none', Buffer.alloc(1000))).toBeUndefined();
  });

  test('a length that is out of all proportion is refused before memory is taken', () => {
    expect(() => uncompress(CODEC_SNAPPY, Buffer.from('808080200061', 'hex'))).toThrow(
      /of 6 bytes claims 67108864 bytes/,
    );
    for (const hex of ['', 'ffffffff0f00', 'ffffffffff01', '8080', '80808080808000', 'e807aa']) {
      expect(() => uncompress(CODEC_SNAPPY, Buffer.from(hex, 'hex'))).toThrow(corrupt);
    }
  });

  test('damaged bytes are corruption or another block, never another kind of error', () => {
    const stored = compress('snappy', Buffer.from('abcdefgh'.repeat(40))) as Buffer;
    for (let at = 0; at < stored.length; at++) {
      const damaged = Buffer.from(stored);
      damaged[at] = (damaged[at] as number) ^ 0x41;
      try {
        expect(uncompress(CODEC_SNAPPY, damaged)).toBeInstanceOf(Buffer);
      } catch (error) {
        expect(error).toBeInstanceOf(LsmError);
        expect(error).toEqual(corrupt);
      }
    }
  });
});

test('a codec of the future is refused as such', () => {
  expect(() => uncompress(CODEC_ZSTD, Buffer.alloc(4))).toThrow(
    expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }),
  );
});
