import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberDigest } from '../../src/messages.ts';
import {
  compareAge,
  digestOf,
  type Evidence,
  joinMember,
  type MemberView,
  vetted,
} from '../../src/membership/member.ts';

const evidence: Evidence = { confirmations: 2, suspectedByMax: 3, known: (id) => 'abcdef'.includes(id) };

function digest(over: Partial<MemberDigest>): MemberDigest {
  return {
    id: 'm',
    host: 'h',
    port: 1,
    peerPort: 2,
    incarnation: 5,
    heartbeat: 7,
    state: 'alive',
    suspectedBy: [],
    health: 'OK',
    ...over,
  };
}

function join(held: MemberDigest, heard: MemberDigest): MemberDigest {
  return digestOf(joinMember({ ...held, movedAtMs: 0 }, vetted(heard, evidence), 1, evidence));
}

/** Accounts as they occur: the state is backed by witnesses, or not at all. */
const account = fc
  .record({
    incarnation: fc.integer({ min: 1, max: 2 }),
    heartbeat: fc.integer({ min: 1, max: 3 }),
    state: fc.constantFrom('alive', 'suspect', 'dead', 'left'),
    suspectedBy: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 5 }),
  })
  .map((over) => vetted(digest(over as Partial<MemberDigest>), evidence));

describe('accounts of a member', () => {
  test('a later incarnation is newer whatever the heartbeat, then the heartbeat counts', () => {
    expect(compareAge(digest({ incarnation: 6, heartbeat: 1 }), digest({ heartbeat: 99 }))).toBeGreaterThan(0);
    expect(compareAge(digest({ heartbeat: 8 }), digest({}))).toBeGreaterThan(0);
    expect(compareAge(digest({}), digest({ state: 'dead' }))).toBe(0);
  });

  test('a stale alive does not revive a dead member, the next heartbeat does', () => {
    const dead = digest({ state: 'dead', suspectedBy: ['a', 'b'] });
    expect(join(dead, digest({}))).toEqual(dead);
    expect(join(dead, digest({ heartbeat: 6 }))).toEqual(dead);
    expect(join(dead, digest({ heartbeat: 8 }))).toEqual(digest({ heartbeat: 8 }));
  });

  test('left is final within an incarnation', () => {
    const left = digest({ state: 'left' });
    expect(join(left, digest({ heartbeat: 99 }))).toEqual(left);
    expect(join(left, digest({ incarnation: 6, heartbeat: 1 })).state).toBe('alive');
  });

  test('a verdict without witnesses is not believed, nor are witnesses nobody knows, nor the member itself', () => {
    expect(vetted(digest({ state: 'dead' }), evidence).state).toBe('alive');
    expect(vetted(digest({ state: 'dead', suspectedBy: ['a', 'm', 'z'] }), evidence)).toEqual(
      digest({ state: 'suspect', suspectedBy: ['a'] }),
    );
  });

  test('the same account again changes nothing, not even the object', () => {
    const held: MemberView = { ...digest({ state: 'suspect', suspectedBy: ['a'] }), movedAtMs: 3 };
    expect(joinMember(held, digestOf(held), 9, evidence)).toBe(held);
  });

  test('the join is associative, commutative and idempotent', () => {
    fc.assert(
      fc.property(account, account, account, (a, b, c) => {
        expect(join(a, b)).toEqual(join(b, a));
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)));
        expect(join(a, a)).toEqual(a);
      }),
    );
  });
});
