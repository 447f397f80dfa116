import { describe, expect, test } from 'vitest';
import {
  applyPreset,
  checkConsistency,
  DEFAULT_COORDINATOR_OPTIONS,
  isPresetName,
  PRESETS,
  resolveCoordinatorOptions,
} from '../src/options.ts';
import { QUORUM } from './coordinator/fixtures.ts';

describe('coordinator options', () => {
  test('are filled with defaults and refused when senseless', () => {
    expect(resolveCoordinatorOptions({ hedgeAfterMs: 5 })).toEqual({ ...DEFAULT_COORDINATOR_OPTIONS, hedgeAfterMs: 5 });
    expect(() => resolveCoordinatorOptions({ hedgeAfterMs: 0 })).toThrow(
      'hedgeAfterMs must be a positive number, got 0',
    );
    expect(() => resolveCoordinatorOptions({ standInAfterMs: Number.NaN })).toThrow(RangeError);
  });
});

describe('presets', () => {
  test.each([
    ['quorum', 3, 2, 2],
    ['quorum', 5, 3, 3],
    ['fast-read', 3, 1, 3],
    ['fast-write', 3, 3, 1],
    ['eventual', 3, 1, 1],
  ] as const)('%s at N=%i is R=%i, W=%i', (name, n, r, w) => {
    expect(applyPreset({ ...QUORUM, n, pr: 1, pw: 1, dw: 1 }, name)).toEqual({
      ...QUORUM,
      n,
      r,
      w,
      pr: 0,
      pw: 0,
      dw: 0,
    });
  });

  test('one-of-n syncs one copy of those it waits for', () => {
    expect(applyPreset(QUORUM, 'one-of-n')).toMatchObject({ r: 2, w: 2, dw: 1, durability: 'os' });
  });

  test('all make sense for every N', () => {
    for (const name of Object.keys(PRESETS)) {
      expect(isPresetName(name)).toBe(true);
      for (let n = 1; n < 8; n++) {
        if (isPresetName(name)) expect(checkConsistency(applyPreset({ ...QUORUM, n }, name), n)).toBeUndefined();
      }
    }
    expect(isPresetName('local-quorum')).toBe(false);
    expect(isPresetName('toString')).toBe(false);
  });
});

describe('a consistency', () => {
  test.each([
    [{ r: 4 }, 'R=4 is more than N=3'],
    [{ w: 4 }, 'W=4 is more than N=3'],
    [{ pw: 3 }, 'PW=3 is more than W=2'],
    [{ pr: 3 }, 'PR=3 is more than R=2'],
    [{ dw: 3 }, 'DW=3 is more than W=2'],
    [{ n: 6 }, 'N=6 is more than 5 nodes in the ring'],
    [{ w: 0 }, 'W must be an integer of at least 1, not 0'],
    [{ r: 1.5 }, 'R must be an integer of at least 1, not 1.5'],
    [{ dw: -1 }, 'DW must be an integer of at least 0, not -1'],
    [{ timeoutMs: 0 }, 'TIMEOUT must be a positive number of milliseconds, not 0'],
  ])('with %o is refused in words', (change, words) => {
    expect(checkConsistency({ ...QUORUM, ...change }, 5)).toBe(words);
  });

  test('that fits is fine', () => {
    expect(checkConsistency(QUORUM, 3)).toBeUndefined();
  });
});
