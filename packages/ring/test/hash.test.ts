import { describe, expect, it } from 'vitest';
import { fingerprint, murmur3 } from '../src/hash.ts';

describe('The hash of a ring', () => {
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('is MurmurHash3: %s with seed %d', (text, seed, expected) => {
    expect(murmur3(Buffer.from(text), seed)).toBe(expected);
  });

  it('has 64 bits, and sees each byte', () => {
    const bytes = Buffer.alloc(99, 7);
    const hashes = new Set([fingerprint(bytes)]);
    for (let i = 0; i < bytes.length; i++) {
      const other = Buffer.from(bytes);
      other[i] = 8;
      hashes.add(fingerprint(other));
    }
    expect(hashes.size).toBe(100);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });
});
