import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDecimal,
  INT64_MAX,
  INT64_MIN,
  ONE,
  parseDecimal,
  parseInt64,
  readDecimal,
  writeDecimal,
} from '../../src/crdt/decimal.ts';
import { ByteReader, ByteWriter } from '../../src/encoding.ts';

const units = fc.oneof(
  fc.bigInt({ min: INT64_MIN, max: INT64_MAX }).map((whole) => whole * ONE),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
  fc.constantFrom(0n, 1n, -1n, ONE, -ONE),
);
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

function written(value: bigint): Buffer {
  const writer = new ByteWriter(8);
  writeDecimal(writer, value);
  return writer.finish();
}

function read(bytes: Uint8Array): bigint {
  const reader = new ByteReader(bytes, 'REPLICATION_BAD_RECORD');
  const value = readDecimal(reader);
  reader.end();
  return value;
}

describe('a decimal', () => {
  it('comes back from its text and from its bytes', () => {
    fc.assert(
      fc.property(units, (value) => {
        expect(parseDecimal(formatDecimal(value))).toBe(value);
        expect(read(written(value))).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['3.0e3', '3000'],
    ['-.5', '-0.5'],
    ['5.', '5'],
    ['+10.50', '10.5'],
    ['1e-17', '0.00000000000000001'],
    ['4e-18', '0'],
    ['5e-18', '0.00000000000000001'],
    ['-0.0', '0'],
    ['1e-99', '0'],
    ['1e20', '100000000000000000000'],
  ])('%s is %s', (text, expected) => {
    expect(formatDecimal(parseDecimal(text) as bigint)).toBe(expected);
  });

  it('adds as people do', () => {
    expect(formatDecimal((parseDecimal('0.1') as bigint) + (parseDecimal('0.2') as bigint))).toBe('0.3');
  });

  it.each(['', ' 1', '1 ', '.', 'e5', '1e', 'abc', '0x10', '1,5', 'nan', '--1'])("'%s' is none", (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });

  it.each(['inf', '-Infinity', '1e309', '9e999999999'])('%s is infinite', (text) => {
    expect(parseDecimal(text)).toBe('infinite');
  });

  it('has one form in bytes', () => {
    const bad = expect.objectContaining({ code: 'REPLICATION_BAD_RECORD' });
    expect(written(-5n * ONE)).toEqual(Buffer.from('010105', 'hex'));
    for (const hex of ['04', '00020005', '0100', '0200', '0001', '0208016345785d8a0000']) {
      expect(() => read(Buffer.from(hex, 'hex')), hex).toThrow(bad);
    }
  });
});

describe('a 64-bit integer', () => {
  it.each(['0', '-1', '9223372036854775807', '-9223372036854775808'])('is %s', (text) => {
    expect(parseInt64(bytesOf(text))).toBe(BigInt(text));
  });

  it.each(['', '-', '+1', '01', '-0', ' 1', '1.0', '9223372036854775808', '-9223372036854775809', 'x'])(
    "is not '%s'",
    (text) => expect(parseInt64(bytesOf(text))).toBeUndefined(),
  );
});
