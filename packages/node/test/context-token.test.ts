import { makeActor, VersionVector } from '@kvd/replication';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContext, sealContext } from '../src/context-token.ts';
import type { NodeServices } from '../src/services.ts';
import { MemoryServices } from './fakes/memory-services.ts';

const services: NodeServices = new MemoryServices();
const numbers = services.ring().members.map((member) => member.number);
const actor = fc.record({
  memberNumber: fc.constantFrom(...numbers),
  tenureHigh: fc.integer({ min: 0, max: 0xffffffff }),
  tenureLow: fc.integer({ min: 0, max: 0xffffffff }),
});
const vector = fc
  .array(fc.tuple(actor.map(makeActor), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), { maxLength: 5 })
  .map((entries) => VersionVector.of(entries).encode());
const key = fc.uint8Array({ maxLength: 20 });

const EXAMPLE = '01 0000 1b15ac69f6789ae2 01 0001a1a2a3a4a5a6a7a8 ac02 796b743d716d4d75c8a809ce5fffc497';

const seal = (name: string, bytes = VersionVector.EMPTY.encode()) => sealContext(services, Buffer.from(name), bytes);
const open = (name: string, token: string) => openContext(services, Buffer.from(name), Buffer.from(token));

describe('a context token', () => {
  it('gives the vector back for the key that it was given for', () => {
    fc.assert(
      fc.property(key, vector, (name, bytes) => {
        const token = sealContext(services, name, bytes);
        expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(Buffer.from(openContext(services, name, Buffer.from(token)) as Uint8Array)).toEqual(bytes);
      }),
    );
  });

  it('is the worked example of docs/formats.md', () => {
    const actor = makeActor({ memberNumber: 1, tenureHigh: 0xa1a2a3a4, tenureLow: 0xa5a6a7a8 });
    const token = seal('greeting', VersionVector.of([[actor, 300]]).encode());
    expect(token).toBe('AQAAGxWsafZ4muIBAAGhoqOkpaanqKwCeWt0PXFtTXXIqAnOX__Elw');
    expect(Buffer.from(token, 'base64url').toString('hex')).toBe(EXAMPLE.replaceAll(' ', ''));
  });

  it('is refused for another key, in words that say so', () => {
    expect(open('b', seal('a'))).toBe(
      'kvd: the context is of another key; take the one that KVD.GET gives for this key',
    );
  });

  it('is refused when any character of it was changed, left out or added', () => {
    const token = seal('a');
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A';
      expect(open('a', token.slice(0, i) + other + token.slice(i + 1))).toMatch(/^kvd: the context is damaged/);
      expect(open('a', token.slice(0, i))).toMatch(/^kvd: the context is damaged/);
    }
    for (const more of ['A', '=', ' ', '\n']) expect(open('a', token + more)).toMatch(/^kvd: the context is damaged/);
  });

  it('of another cluster is refused', () => {
    const other: NodeServices = Object.assign(new MemoryServices(), { contextKey: () => Buffer.from('another') });
    const token = sealContext(other, Buffer.from('a'), VersionVector.EMPTY.encode());
    expect(open('a', token)).toMatch(/damaged, or of another cluster/);
  });

  it('that names a member that is not in the ring is refused', () => {
    const stranger = VersionVector.of([[makeActor({ memberNumber: 999, tenureHigh: 1, tenureLow: 1 }), 5]]);
    expect(open('a', seal('a', stranger.encode()))).toBe(
      'kvd: the context names a write of member 999, which is not in the ring; KVD.GET the key again',
    );
  });
});
