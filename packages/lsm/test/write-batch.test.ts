import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND_DELETE, KIND_MERGE, KIND_PUT } from '../src/internal-key.ts';
import { BatchReader, KEY_BYTES_MAX, VALUE_BYTES_MAX, WriteBatch } from '../src/write-batch.ts';

const bytes = (max: number) => fc.uint8Array({ minLength: 1, maxLength: max }).map((array) => Buffer.from(array));
const writes = fc.array(
  fc.record({ kind: fc.constantFrom(KIND_PUT, KIND_DELETE, KIND_MERGE), key: bytes(300), value: bytes(300) }),
  { maxLength: 50 },
);

function read(payload: Buffer) {
  const reader = new BatchReader().reset(payload);
  const found = [];
  while (reader.next()) {
    const key = Buffer.from(payload.subarray(reader.key.start, reader.key.start + reader.key.length));
    const value = Buffer.from(payload.subarray(reader.value.start, reader.value.start + reader.value.length));
    found.push({ kind: reader.kind, key, value });
  }
  return found;
}

describe('a write batch', () => {
  it('gives back what was put into it, in order', () => {
    fc.assert(
      fc.property(writes, (list) => {
        const batch = new WriteBatch();
        for (const { kind, key, value } of list) {
          if (kind === KIND_PUT) batch.put(key, value);
          else if (kind === KIND_MERGE) batch.merge(key, value);
          else batch.delete(key);
        }
        const expected = list.map((write) =>
          write.kind === KIND_DELETE ? { ...write, value: Buffer.alloc(0) } : write,
        );
        expect(read(batch.payload())).toEqual(expected);
        expect(batch.count).toBe(list.length);
        expect(read(batch.clone().payload())).toEqual(expected);
        expect(batch.clear().byteLength).toBe(0);
      }),
    );
  });

  it('keeps copies: the caller may reuse its buffers', () => {
    const key = Buffer.from('key');
    const batch = new WriteBatch().put(key, key);
    key.fill(0);
    expect(read(batch.payload())[0]?.key.toString()).toBe('key');
  });

  it('refuses keys and values that are no bytes, empty or too long', () => {
    const batch = new WriteBatch();
    expect(() => batch.put('text' as unknown as Buffer, Buffer.from('v'))).toThrow(TypeError);
    expect(() => batch.put(Buffer.from('k'), 1 as unknown as Buffer)).toThrow(TypeError);
    expect(() => batch.delete(Buffer.alloc(0))).toThrow(RangeError);
    expect(() => batch.delete(Buffer.alloc(KEY_BYTES_MAX + 1))).toThrow(RangeError);
    expect(() => batch.put(Buffer.from('k'), Buffer.alloc(VALUE_BYTES_MAX + 1))).toThrow(RangeError);
    expect(batch.put(Buffer.alloc(KEY_BYTES_MAX), Buffer.alloc(0)).count).toBe(1);
  });

  it('is read as damaged when it is cut off, as newer when a kind is unknown', () => {
    const payload = new WriteBatch().put(Buffer.from('key'), Buffer.from('value')).payload();
    for (let length = 1; length < payload.length; length++) {
      expect(() => read(payload.subarray(0, length))).toThrow(expect.objectContaining({ code: 'LSM_CORRUPTION' }));
    }
    expect(() => read(Buffer.from([3, 1, 65]))).toThrow(expect.objectContaining({ code: 'LSM_INCOMPATIBLE_FORMAT' }));
  });
});
