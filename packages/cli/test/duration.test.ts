import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../src/duration.ts';

test('units are milliseconds, seconds and minutes, and a plain number is seconds', () => {
  expect(['500ms', '10s', '2m', '3', '0', '1.5s'].map(parseDuration)).toEqual([500, 10_000, 120_000, 3000, 0, 1500]);
});

test('what is no duration, or longer than a timer can wait, is undefined', () => {
  expect(['', 's', '-1', '10 h', '1e3', '25d', '99999999999'].map(parseDuration)).toEqual(Array(7).fill(undefined));
});

test('a formatted duration reads back as itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (milliseconds) => {
      expect(parseDuration(formatDuration(milliseconds).replace(' ', ''))).toBe(milliseconds);
    }),
  );
});
