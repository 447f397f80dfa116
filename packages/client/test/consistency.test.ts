import { expect, test } from 'vitest';
import { consistencyWords } from '../src/consistency.ts';

test('every option has its own word', () => {
  const numbers = { n: 1, r: 2, w: 3, pr: 4, pw: 5, dw: 6, timeoutMs: 7 };
  expect(consistencyWords({ ...numbers, mode: 'sloppy', requestId: 'id' }).join(' ')).toBe(
    'N 1 R 2 W 3 PR 4 PW 5 DW 6 TIMEOUT 7 SLOPPY REQUEST id',
  );
});

test('what is left out says nothing, and 0 is said', () => {
  expect(consistencyWords({})).toEqual([]);
  expect(consistencyWords({ pr: 0 })).toEqual(['PR', '0']);
});
