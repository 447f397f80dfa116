import type { Random } from '../../src/random.ts';

/** xorshift32: equal seeds, equal draws. */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) | 1;
  return {
    uint32(): number {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    },
  };
}
