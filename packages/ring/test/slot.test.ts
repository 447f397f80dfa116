import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, SLOT_COUNT, slotOf } from '../src/slot.ts';

const slot = (key: string) => slotOf(Buffer.from(key));

describe('The slot of a key', () => {
  it('is made of CRC16/XMODEM', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
    expect(crc16(Buffer.from(''))).toBe(0);
  });

  it.each([
    ['', 0],
    ['foo', 12182],
    ['bar', 5061],
    ['hello', 866],
    ['somekey', 11058],
    ['foo{hash_tag}', 2515],
    ['bar{hash_tag}', 2515],
    ['123456789', 0x31c3],
  ])('is what Redis Cluster says: %s → %d', (key, expected) => {
    expect(slot(key)).toBe(expected);
  });

  it('hashes the first non-empty tag alone', () => {
    expect(slot('{user1000}.following')).toBe(slot('user1000'));
    expect(slot('{user1000}.following')).toBe(slot('{user1000}.followers'));
    expect(slot('foo{bar}{zap}')).toBe(slot('bar'));
    expect(slot('foo{{bar}}zap')).toBe(slot('{bar'));
    expect(slot('}a{b}')).toBe(slot('b'));
  });

  it('hashes the whole key if its first tag is empty or not closed', () => {
    const whole = (key: string) => crc16(Buffer.from(key)) % SLOT_COUNT;
    for (const key of ['foo{}{bar}', '{}', 'foo{bar', 'foo}bar', 'a}b{c']) expect(slot(key)).toBe(whole(key));
    expect(slot('foo{}{bar}')).not.toBe(slot('bar'));
  });

  it('is a slot for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (key) => {
        const found = slotOf(key);
        expect(Number.isInteger(found) && found >= 0 && found < SLOT_COUNT).toBe(true);
      }),
    );
  });
});
