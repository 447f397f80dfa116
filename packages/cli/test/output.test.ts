import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTable, jsonBytes } from '../src/output.ts';

test('a table pads every column to its widest cell and ends no line in blanks', () => {
  expect(
    formatTable([
      ['NAME', 'STATE'],
      ['n', 'alive'],
      ['longer', 'x'],
    ]),
  ).toEqual(['NAME    STATE', 'n       alive', 'longer  x']);
});

test('control characters in a cell are shown and never sent to the terminal', () => {
  expect(formatTable([['a\u001b[31mb']])).toEqual(['a\uFFFD[31mb']);
});

test('any bytes survive the way through JSON', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const printed = JSON.parse(JSON.stringify(jsonBytes(Buffer.from(bytes))));
      const back = 'value' in printed ? Buffer.from(printed.value) : Buffer.from(printed.valueBase64, 'base64');
      expect(back.equals(bytes)).toBe(true);
    }),
  );
});
