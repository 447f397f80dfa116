import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeReply, RespWriter } from '../../src/resp/encoder.ts';
import { failure, mapOf, OK, type RespValue, setOf, verbatim, weightOf } from '../../src/resp/value.ts';

/** As redis-server 7.0.15 writes them. */
const GOLDEN: readonly (readonly [string, RespValue, string, string])[] = [
  ['a status', OK, '+OK\r\n', '+OK\r\n'],
  ['an error', failure('ERR a\r\nb'), '-ERR a  b\r\n', '-ERR a  b\r\n'],
  ['a small integer', 7, ':7\r\n', ':7\r\n'],
  ['a negative integer', -10, ':-10\r\n', ':-10\r\n'],
  ['a large integer', 9_007_199_254_740_991, ':9007199254740991\r\n', ':9007199254740991\r\n'],
  ['text', 'é', '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
  ['bytes', Buffer.from([0, 255]), '$2\r\n\x00\xff\r\n', '$2\r\n\x00\xff\r\n'],
  ['null', null, '$-1\r\n', '_\r\n'],
  ['a null array', { kind: 'null-array' }, '*-1\r\n', '_\r\n'],
  ['an array', [1, null, []], '*3\r\n:1\r\n$-1\r\n*0\r\n', '*3\r\n:1\r\n_\r\n*0\r\n'],
  ['a map', mapOf([['a', 1]]), '*2\r\n$1\r\na\r\n:1\r\n', '%1\r\n$1\r\na\r\n:1\r\n'],
  ['a set', setOf(['a']), '*1\r\n$1\r\na\r\n', '~1\r\n$1\r\na\r\n'],
  ['a push', { kind: 'push', items: ['a'] }, '*1\r\n$1\r\na\r\n', '>1\r\n$1\r\na\r\n'],
  ['true', { kind: 'boolean', value: true }, ':1\r\n', '#t\r\n'],
  ['false', { kind: 'boolean', value: false }, ':0\r\n', '#f\r\n'],
  ['a double', { kind: 'double', value: 1.5 }, '$3\r\n1.5\r\n', ',1.5\r\n'],
  ['infinity', { kind: 'double', value: -Infinity }, '$4\r\n-inf\r\n', ',-inf\r\n'],
  ['text for people', verbatim('hi'), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
];

describe('replies in bytes', () => {
  test.each(GOLDEN)('%s', (_, value, resp2, resp3) => {
    expect(encodeReply(value, 2).toString('latin1')).toBe(resp2);
    expect(encodeReply(value, 3).toString('latin1')).toBe(resp3);
  });

  test('many replies in one writer are the replies one after the other, and stay as they were handed out', () => {
    const value = fc.oneof(
      fc.integer(),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.uint8Array({ maxLength: 70_000 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 30 }), (replies) => {
        const writer = new RespWriter();
        const taken: Buffer[] = [];
        for (const [reply, isTaken] of replies) {
          writer.write(reply, 2);
          if (isTaken) taken.push(writer.take());
        }
        taken.push(writer.take());
        expect(Buffer.concat(taken).equals(Buffer.concat(replies.map(([reply]) => encodeReply(reply, 2))))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('nothing written is nothing taken', () => {
    expect(new RespWriter().take()).toHaveLength(0);
  });

  test('the weight of a reply is near the bytes it takes', () => {
    for (const [, value] of GOLDEN) expect(weightOf(value)).toBeGreaterThanOrEqual(encodeReply(value, 3).length - 16);
    expect(weightOf([Buffer.alloc(5000), 'x'.repeat(1000)])).toBeGreaterThan(6000);
  });
});
