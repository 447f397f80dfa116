import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../src/checksum.ts';
import { ByteReader, ByteWriter, varintLength } from '../src/encoding.ts';

const bad = expect.objectContaining({ code: 'REPLICATION_BAD_MESSAGE' });
const reader = (hex: string): ByteReader => new ByteReader(Buffer.from(hex, 'hex'), 'REPLICATION_BAD_MESSAGE');

describe('varints', () => {
  it('come back, in as many bytes as was said', () => {
    const anywhere = fc.integer({ min: 0, max: 53 }).chain((bits) => fc.integer({ min: 0, max: 2 ** bits - 1 }));
    fc.assert(
      fc.property(anywhere, (value) => {
        const writer = new ByteWriter(1);
        writer.varint(value);
        const bytes = writer.finish();
        expect(bytes).toHaveLength(varintLength(value));
        expect(new ByteReader(bytes, 'REPLICATION_BAD_MESSAGE').varint()).toBe(value);
      }),
    );
  });

  it('longer than needed, cut off or above 2^53 - 1 are refused', () => {
    for (const hex of ['', '80', '8000', 'ff00', 'ffffffffffffff10', 'ffffffffffffffff01']) {
      expect(() => reader(hex).varint(), hex).toThrow(bad);
    }
    expect(reader('ffffffffffffff0f').varint()).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('ByteReader', () => {
  it('reads no integer above 2^53 - 1', () => {
    expect(reader('001fffffffffffff').uint64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => reader('0020000000000000').uint64()).toThrow(bad);
  });

  it('takes no text that is not UTF-8', () => {
    expect(reader('02c3a9').text()).toBe('é');
    expect(() => reader('01c3').text()).toThrow(bad);
  });

  it('gives views of the bytes, not copies', () => {
    const bytes = Buffer.from('03616263', 'hex');
    const view = new ByteReader(bytes, 'REPLICATION_BAD_MESSAGE').sized();
    bytes[1] = 0x7a;
    expect(view.toString()).toBe('zbc');
  });
});

describe('crc32', () => {
  it('is the same function for short and for long input', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.alloc(0))).toBe(0);
    expect(crc32(Buffer.alloc(447))).toBe(0xecc24a89);
    expect(crc32(Buffer.alloc(448))).toBe(0x468a1643);
  });
});
