import { expect, test } from 'vitest';
import { MEMBERSHIP_DEFAULTS, resolveMembershipOptions } from '../../src/membership/options.ts';

test('defaults fill what is not given', () => {
  expect(resolveMembershipOptions({ gossipIntervalMs: 50 })).toEqual({ ...MEMBERSHIP_DEFAULTS, gossipIntervalMs: 50 });
});

test('senseless values are refused', () => {
  expect(() => resolveMembershipOptions({ gossipIntervalMs: 0 })).toThrow(RangeError);
  expect(() => resolveMembershipOptions({ deadAfterMs: 10 })).toThrow('deadAfterMs (10) is below');
  expect(() => resolveMembershipOptions({ suspectedByMax: 1 })).toThrow(RangeError);
});
