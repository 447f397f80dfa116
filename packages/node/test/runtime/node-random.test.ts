import { expect, test } from 'vitest';
import { NodeSecrets } from '../../src/runtime/node-random.ts';

/** 16 random bytes meet by chance once in 2^64 tries; what is given out twice meets at once. */
test('no secret is given out twice, small or large, across the refills of the pool', () => {
  const secrets = new NodeSecrets();
  const seen = new Set<string>();
  let given = 0;
  for (const length of Array.from({ length: 3000 }, (_, i) => (i % 100 === 0 ? 5000 : 16 + (i % 7)))) {
    const bytes = Buffer.alloc(length);
    secrets.fill(bytes);
    seen.add(bytes.toString('hex', 0, 16));
    seen.add(bytes.toString('hex', length - 16));
    given += length === 16 ? 1 : 2;
  }
  expect(seen.size).toBe(given);
});

test('every byte asked for is filled, whatever the length', () => {
  const secrets = new NodeSecrets();
  for (let length = 0; length <= 2100; length += 7) {
    // Eight rounds: a byte that is 0 by chance in all of them is rarer than once in 2^63.
    const filled = Buffer.alloc(length);
    for (let round = 0; round < 8; round++) {
      const bytes = Buffer.alloc(length);
      secrets.fill(bytes);
      for (let i = 0; i < length; i++) filled[i] = (filled[i] as number) | (bytes[i] as number);
    }
    expect(filled.includes(0)).toBe(false);
  }
});
