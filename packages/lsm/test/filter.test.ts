import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FilterBuilder, FilterProbe, filterHash } from '../src/filter.ts';

function build(keys: readonly Uint8Array[], bitsPerKey = 10): Buffer | undefined {
  const builder = new FilterBuilder(bitsPerKey);
  for (const key of keys) builder.add(filterHash(key));
  return builder.finish();
}

describe('the hash', () => {
  test('is MurmurHash3 x86 32 with seed 0', () => {
    // Vectors computed with the reference implementation.
    expect(filterHash(Buffer.from('')) >>> 0).toBe(0);
    expect(filterHash(Buffer.from('test')) >>> 0).toBe(0xba6bd213);
    expect(filterHash(Buffer.from('Hello, world!')) >>> 0).toBe(0xc0363e43);
    expect(filterHash(Buffer.from('The quick brown fox jumps over the lazy dog')) >>> 0).toBe(0x2e4ff723);
  });

  test('is the same for a Buffer, a plain array and a view', () => {
    const bytes = Buffer.from('--some key--');
    expect(filterHash(bytes.subarray(2, 10))).toBe(filterHash(new Uint8Array(Buffer.from('some key'))));
  });
});

describe('the filter', () => {
  test('never denies a key that was added', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 30 }),
        (keys, bits) => {
          const probe = FilterProbe.open(build(keys, bits) as Buffer) as FilterProbe;
          for (const key of keys) expect(probe.mayContain(filterHash(key))).toBe(true);
        },
      ),
    );
  });

  test('denies all but about one in a hundred others at 10 bits per key', () => {
    const probe = FilterProbe.open(
      build(Array.from({ length: 20_000 }, (_, i) => Buffer.from(`key-${i}`))) as Buffer,
    ) as FilterProbe;
    let maybe = 0;
    for (let i = 0; i < 20_000; i++) if (probe.mayContain(filterHash(Buffer.from(`other-${i}`)))) maybe++;
    expect(maybe / 20_000).toBeLessThan(0.013);
    expect(maybe).toBeGreaterThan(0);
  });

  test('is left out when switched off or empty', () => {
    expect(build([Buffer.from('a')], 0)).toBeUndefined();
    expect(build([])).toBeUndefined();
  });

  test('of bytes that are no filter cannot be opened', () => {
    const block = build([Buffer.from('a'), Buffer.from('b')]) as Buffer;
    const change = (at: number, value: number) => {
      const changed = Buffer.from(block);
      changed[at] = value;
      return changed;
    };
    expect(FilterProbe.open(block)).toBeDefined();
    for (const bad of [
      Buffer.alloc(0),
      change(0, 9),
      change(1, 0),
      change(1, 31),
      change(2, 1),
      change(4, 1),
      change(4, 0),
      block.subarray(1),
    ]) {
      expect(FilterProbe.open(bad)).toBeUndefined();
    }
  });

  test('has bytes that never change', () => {
    expect(build([Buffer.from('test')], 10)?.toString('hex')).toMatchInlineSnapshot(
      `"01070000400000003842080000000000"`,
    );
  });
});
