/** What several property tests draw from. */
import fc from 'fast-check';
import { type Actor, type Dot, makeActor } from '../src/dot.ts';
import { VersionVector } from '../src/version-vector.ts';

/** Few actors, so that draws meet; tenures with every kind of byte. */
export const ACTORS: readonly Actor[] = [
  makeActor({ memberNumber: 0, tenureHigh: 0, tenureLow: 0 }),
  makeActor({ memberNumber: 1, tenureHigh: 0x80ff0001, tenureLow: 7 }),
  makeActor({ memberNumber: 1, tenureHigh: 0x80ff0001, tenureLow: 0xffffffff }),
  makeActor({ memberNumber: 0xffff, tenureHigh: 0xffffffff, tenureLow: 0xfffffffe }),
];

export const actor = fc.constantFrom(...ACTORS);

export const counter = fc.oneof(
  fc.integer({ min: 1, max: 5 }),
  fc.constantFrom(127, 128, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER),
);

export const vector = fc.array(fc.tuple(actor, counter), { maxLength: 6 }).map((entries) => VersionVector.of(entries));

export const dot: fc.Arbitrary<Dot> = fc.record({ actor, counter });

/** Keys with the bytes that escaping is about. */
export const keyBytes = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 0xfe, 0xff), fc.integer({ min: 0, max: 255 })), { maxLength: 8 })
  .map((bytes) => Buffer.from(bytes));
