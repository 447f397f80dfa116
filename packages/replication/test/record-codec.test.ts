import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeActor } from '../src/dot.ts';
import { ReplicationError } from '../src/errors.ts';
import { applyWrite, type DottedRecord, mergeRecords, recordsEqual, stripExpired } from '../src/record.ts';
import {
  decodeRecord,
  decodeRecordContext,
  decodeTrustedRecord,
  encodeRecord,
  recordHeaderBytes,
} from '../src/record-codec.ts';
import { play, step } from './history.ts';

const steps = fc.array(step, { minLength: 1, maxLength: 20 });
const bad = expect.objectContaining({ code: 'REPLICATION_BAD_RECORD' });
const anyState = fc.tuple(steps, fc.nat()).map(([history, i]) => {
  const { states } = play(history);
  return states[i % states.length];
});

const N1 = makeActor({ memberNumber: 1, tenureHigh: 0xa1a2a3a4, tenureLow: 0xa5a6a7a8 });
const N2 = makeActor({ memberNumber: 2, tenureHigh: 0xb1b2b3b4, tenureLow: 0xb5b6b7b8 });

/** The record of docs/formats.md: "hello" by member 1 until 5000 ms, beside a tombstone by member 2. */
function example(): DottedRecord {
  const value = applyWrite(undefined, {
    dot: { actor: N1, counter: 7 },
    hybridTime: 3_000_000 * 2048 + 5,
    value: Buffer.from('hello'),
    supersedes: 'held',
    deadlineMs: 5000,
  });
  const seen = applyWrite(undefined, {
    dot: { actor: N2, counter: 300 },
    hybridTime: 1,
    value: 'tombstone',
    supersedes: 'held',
  });
  return mergeRecords(value, seen);
}

const EXAMPLE =
  '01 00' +
  '02 0001a1a2a3a4a5a6a7a8 07 0002b1b2b3b4b5b6b7b8 ac02' +
  '02' +
  '00 00 02 000000016e360005 3610a686 05 01 00 00 8827' +
  '01 00 01 0000000000000001' +
  '00 68656c6c6f';

const exampleHex = EXAMPLE.replaceAll(' ', '');

describe('the record codec', () => {
  it('decodes what it encoded; equal records are equal bytes', () => {
    fc.assert(
      fc.property(anyState, anyState, (one, other) => {
        fc.pre(one !== undefined && other !== undefined);
        const bytes = encodeRecord(one as DottedRecord);
        const decoded = decodeRecord(bytes);
        expect(recordsEqual(decoded, one as DottedRecord)).toBe(true);
        expect(encodeRecord(decoded)).toEqual(bytes);
        expect(recordsEqual(decodeTrustedRecord(bytes), decoded)).toBe(true);
        expect(decodeRecordContext(bytes).equals(decoded.context)).toBe(true);
        expect(recordsEqual(decoded, other as DottedRecord)).toBe(bytes.equals(encodeRecord(other as DottedRecord)));
      }),
      { numRuns: 300 },
    );
  });

  it('writes the worked example of docs/formats.md, and reads it', () => {
    expect(encodeRecord(example()).toString('hex')).toBe(exampleHex);
    expect(recordsEqual(decodeRecord(Buffer.from(exampleHex, 'hex')), example())).toBe(true);
  });

  it('has no second encoding: what decodes is what would be encoded', () => {
    fc.assert(
      fc.property(anyState, fc.nat(), fc.nat({ max: 255 }), (one, position, byte) => {
        fc.pre(one !== undefined);
        const bytes = encodeRecord(one as DottedRecord);
        bytes[position % bytes.length] = byte;
        let decoded: DottedRecord;
        try {
          decoded = decodeRecord(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ReplicationError);
          expect((error as ReplicationError).code).toBe('REPLICATION_BAD_RECORD');
          return;
        }
        expect(encodeRecord(decoded)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but its own error on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (noise, likely) => {
        const bytes = likely ? Buffer.concat([Buffer.from(exampleHex.slice(0, 60), 'hex'), noise]) : noise;
        try {
          decodeRecord(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ReplicationError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses every cut and every addition', () => {
    const bytes = Buffer.from(exampleHex, 'hex');
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord(bytes.subarray(0, length)), `${length} bytes`).toThrow(bad);
    }
    expect(() => decodeRecord(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(bad);
  });

  it('refuses what is not canonical, each for its reason', () => {
    const change = (from: string, to: string): Buffer => {
      expect(EXAMPLE).toContain(from);
      return Buffer.from(EXAMPLE.replace(from, to).replaceAll(' ', ''), 'hex');
    };
    const cases: [Buffer, string][] = [
      [change('01 00', '02 00'), 'record format 2'],
      [change('01 00', '01 05'), 'record type 5'],
      [change('02 0001a1', '02 0002c1'), 'actors do not ascend'],
      [change('00 00 02 ', '00 07 02 '), 'below 1'],
      [change('00 00 02 ', '02 00 02 '), 'not in the context'],
      [change('01 00 01 00', '00 00 01 00'), 'dots do not ascend'],
      [change('01 00 01 00', '01 00 10 00'), 'unknown flags'],
      [change('01 00 01 00', '01 00 09 00'), 'a tombstone that is a delta'],
      [change('00 00 02 ', '00 00 0a '), 'decimal'],
      [change('01 00 01 00', '01 00 03 00'), 'a tombstone with a deadline'],
      [change('3610a686', '3610a687'), 'checksum'],
      [change('6c6f', '6c70'), 'checksum'],
      [change('00 68656c6c6f', '02 68656c6c6f'), 'unknown state'],
      [change('05 01 00 00 8827', '05 00'), 'empty list of deadlines'],
      [change('ac02', 'ac8200'), 'longer than needed'],
    ];
    for (const [bytes, reason] of cases) expect(() => decodeRecord(bytes), reason).toThrow(reason);
    expect(() => decodeRecord(Buffer.from('01000000', 'hex'))).toThrow('without values');
  });

  it('carries extensions of later versions unchanged, in order only', () => {
    const [value] = applyWrite(undefined, {
      dot: { actor: N1, counter: 1 },
      hybridTime: 1,
      value: Buffer.from('v'),
      supersedes: 'held',
    }).values;
    const extended = (hex: string): DottedRecord => {
      const record = applyWrite(undefined, {
        dot: { actor: N1, counter: 1 },
        hybridTime: 1,
        value: Buffer.from('v'),
        supersedes: 'held',
      });
      return { ...record, values: [{ ...(value as NonNullable<typeof value>), extensions: Buffer.from(hex, 'hex') }] };
    };
    const record = extended('0102aabb0500');
    expect(recordsEqual(decodeRecord(encodeRecord(record)), record)).toBe(true);
    expect(mergeRecords(record, decodeRecord(encodeRecord(record)))).toBe(record);
    for (const hex of ['', '0103aabb', '05000102aabb', '05000500']) {
      expect(() => decodeRecord(encodeRecord(extended(hex))), hex).toThrow(bad);
    }
  });

  it('does not look at the checksum of a value that is trusted', () => {
    const bytes = Buffer.from(exampleHex, 'hex');
    bytes[bytes.length - 1] = 0;
    expect(() => decodeRecord(bytes)).toThrow(bad);
    expect(decodeTrustedRecord(bytes).values).toHaveLength(2);
  });

  it('has one header for a value with its bytes and the same stripped', () => {
    const bytes = encodeRecord(example());
    const stripped = encodeRecord(stripExpired(example(), 5000));
    expect(stripped).toHaveLength(bytes.length - 5);
    expect(recordHeaderBytes(stripped)).toEqual(recordHeaderBytes(bytes));
    expect(recordHeaderBytes(bytes)).toHaveLength(bytes.length - 6);
    expect(recordsEqual(decodeRecord(stripped), stripExpired(example(), 5000))).toBe(true);
  });
});
