import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksum } from '../src/checksum.ts';
import { Ring } from '../src/ring.ts';
import { SLOT_COUNT } from '../src/slot.ts';
import { inZones, someMembers } from './members.ts';

/** The bytes changed by `change`, with the checksum that they then need. */
function forged(bytes: Buffer, change: (copy: Buffer) => Buffer | undefined): Buffer {
  const body = Buffer.from(bytes.subarray(0, bytes.length - 4));
  const changed = change(body) ?? body;
  const end = Buffer.alloc(4);
  end.writeUInt32LE(checksum(changed));
  return Buffer.concat([changed, end]);
}

describe('An encoded ring', () => {
  it('decodes to an equal ring with equal bytes', () => {
    const rings = fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      replicas: fc.integer({ min: 1, max: 5 }),
      zones: fc.integer({ min: 0, max: 3 }),
      host: fc.constantFrom('127.0.0.1', '::1', 'node.example.org', 'höst'),
      weight: fc.constantFrom(1, 0.5, 3),
      epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(rings, ({ count, replicas, zones, host, weight, epoch }) => {
        const change = (i: number) => ({ host, weight, ...(zones > 0 ? inZones(zones)(i) : {}) });
        const first = Ring.initial(someMembers(count, change), { replicas, virtualNodesPerNode: 16 });
        const { members } = first;
        const ring = new Ring({ epoch, replicas, members, runs: first.runs() });
        const again = Ring.decode(ring.encode());
        expect(again.epoch).toBe(epoch);
        expect(again.replicas).toBe(replicas);
        expect(again.members).toEqual(members);
        expect(again.runs()).toEqual(ring.runs());
        expect(again.hash).toBe(ring.hash);
        expect(again.encode().equals(ring.encode())).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('is format 1, as README.md shows it', () => {
    const members = someMembers(1, () => ({ id: 'a', zone: 'z' }));
    const ring = Ring.initial(members, { replicas: 1 });
    const hex = [
      '4b564452 0100 0100 0100000000000000 0100 0100',
      '0100 d31c e343 000000000000f03f 0161 093132372e302e302e31 017a',
      '0040 01 0000',
      '8bbe2e5b',
    ].join('');
    expect(ring.encode().toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(Ring.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex')).member('a')?.zone).toBe('z');
  });

  it('is refused with any bit turned or any byte missing', () => {
    const bytes = Ring.initial(someMembers(2), { virtualNodesPerNode: 2 }).encode();
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes);
      damaged[i] = (damaged[i] as number) ^ (1 << (i % 8));
      expect(() => Ring.decode(damaged)).toThrow(expect.objectContaining({ code: 'RING_CORRUPTION' }));
      expect(() => Ring.decode(bytes.subarray(0, i))).toThrow(expect.objectContaining({ code: 'RING_CORRUPTION' }));
    }
  });

  it('is refused, though its checksum is right, when it is no ring', () => {
    const bytes = Ring.initial(someMembers(2), { virtualNodesPerNode: 2 }).encode();
    const runsAt = bytes.length - 4 - 4 * 7;
    const changes: ((copy: Buffer) => Buffer | undefined)[] = [
      (copy) => Buffer.concat([copy, Buffer.of(0)]),
      (copy) => copy.subarray(0, copy.length - 1),
      (copy) => void copy.writeUInt16LE(0, 16),
      (copy) => void copy.writeUInt16LE(9999, 18),
      (copy) => void copy.writeUInt16LE(1, 6),
      (copy) => void copy.writeBigUInt64LE(0n, 8),
      (copy) => void copy.writeBigUInt64LE(2n ** 60n, 8),
      (copy) => void copy.writeUInt16LE(0, runsAt),
      (copy) => void copy.writeUInt16LE(SLOT_COUNT, runsAt),
      (copy) => void copy.writeUInt16LE(7, runsAt + 3),
      (copy) => void copy.writeUInt16LE(copy.readUInt16LE(runsAt + 5), runsAt + 3),
      (copy) => void copy.copy(copy, runsAt + 7, runsAt, runsAt + 7),
    ];
    for (const change of changes) {
      expect(() => Ring.decode(forged(bytes, change)), change.toString()).toThrow(
        expect.objectContaining({ code: 'RING_CORRUPTION' }),
      );
    }
  });

  it('says so when it is of a newer format', () => {
    const newer = forged(Ring.initial(someMembers(1)).encode(), (copy) => void copy.writeUInt16LE(2, 4));
    expect(() => Ring.decode(newer)).toThrow(
      expect.objectContaining({ code: 'RING_INCOMPATIBLE_FORMAT', message: expect.stringContaining('format 2') }),
    );
  });

  it('is never anything but a ring or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        const head = Ring.initial(someMembers(2), { virtualNodesPerNode: 1 }).encode().subarray(0, 20);
        const bytes = forged(Buffer.concat([head, tail, Buffer.alloc(4)]), () => undefined);
        expect(() => Ring.decode(bytes)).toThrow(expect.objectContaining({ name: 'RingError' }));
      }),
    );
  });
});
