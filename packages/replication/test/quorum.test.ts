import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReadTally, WriteTally } from '../src/quorum.ts';

function writeTally(demand: Partial<{ w: number; pw: number; dw: number; mode: 'sloppy' | 'strict' }>): WriteTally {
  const tally = new WriteTally();
  tally.reset({ w: 2, pw: 0, dw: 0, mode: 'sloppy', ...demand });
  return tally;
}

describe('a write tally', () => {
  test('is met by W distinct nodes, however often each speaks', () => {
    const tally = writeTally({});
    for (const node of ['A', 'B', 'C']) tally.expect(node, 'owner', true);
    expect(tally.acknowledge('B')).toBe(true);
    expect(tally.acknowledge('B')).toBe(false);
    expect(tally.verdict()).toBe('pending');
    tally.acknowledge('A');
    expect(tally.verdict()).toBe('met');
  });

  test('counts a node that is both owner and fallback once, as an owner', () => {
    const tally = writeTally({});
    expect(tally.expect('A', 'owner', true)).toBe(true);
    expect(tally.expect('A', 'fallback', true)).toBe(false);
    tally.acknowledge('A');
    expect([tally.acknowledged, tally.hinted, tally.verdict()]).toEqual([1, 0, 'impossible']);
  });

  test('does not know strangers, nor fallbacks in strict mode', () => {
    const tally = writeTally({ w: 1, mode: 'strict' });
    tally.expect('A', 'owner', true);
    expect(tally.expect('D', 'fallback', true)).toBe(false);
    expect(tally.acknowledge('D')).toBe(false);
    expect(tally.acknowledge('Z')).toBe(false);
    expect(tally.verdict()).toBe('pending');
  });

  test('is impossible when too few are left, and possible again when one believed lost has stored it', () => {
    const tally = writeTally({});
    for (const node of ['A', 'B']) tally.expect(node, 'owner', true);
    tally.lose('B');
    expect(tally.verdict()).toBe('impossible');
    tally.acknowledge('B');
    tally.lose('B');
    tally.acknowledge('A');
    expect(tally.verdict()).toBe('met');
  });

  test('wants PW owners and DW durable copies among W', () => {
    const tally = writeTally({ pw: 2, dw: 1 });
    tally.expect('A', 'owner', false);
    tally.expect('B', 'owner', true);
    tally.expect('D', 'fallback', false);
    tally.acknowledge('A');
    tally.acknowledge('D');
    expect(tally.verdict()).toBe('pending');
    tally.lose('B');
    expect(tally.verdict()).toBe('impossible');
    tally.acknowledge('B');
    expect(tally.verdict()).toBe('met');
  });

  test('forgets all at a reset', () => {
    const tally = writeTally({ w: 1 });
    tally.expect('A', 'owner', true);
    tally.acknowledge('A');
    tally.reset({ w: 1, pw: 0, dw: 0, mode: 'sloppy' });
    expect([tally.acknowledged, tally.verdict()]).toEqual([0, 'impossible']);
  });

  test('says the same as sets of nodes do', () => {
    const node = fc.constantFrom('A', 'B', 'C', 'D');
    const events = fc.array(fc.tuple(node, fc.constantFrom('yes', 'lost')), { maxLength: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), events, (w, said) => {
        const tally = writeTally({ w });
        for (const name of ['A', 'B', 'C', 'D']) tally.expect(name, name < 'D' ? 'owner' : 'fallback', true);
        const yes = new Set(said.filter(([, what]) => what === 'yes').map(([name]) => name));
        const lost = new Set(said.filter(([name, what]) => what === 'lost' && !yes.has(name)).map(([name]) => name));
        for (const [name, what] of said) what === 'yes' ? tally.acknowledge(name) : tally.lose(name);
        const expected = yes.size >= w ? 'met' : 4 - lost.size >= w ? 'pending' : 'impossible';
        expect([tally.verdict(), tally.acknowledged]).toEqual([expected, yes.size]);
      }),
    );
  });
});

function readTally(demand: Partial<{ r: number; pr: number; mode: 'sloppy' | 'strict' }>): ReadTally {
  const tally = new ReadTally();
  tally.reset({ r: 2, pr: 0, mode: 'sloppy', ...demand });
  for (const node of ['A', 'B']) tally.expect(node, 'owner');
  tally.expect('D', 'fallback');
  return tally;
}

describe('a read tally', () => {
  test('counts fallbacks for a sloppy R, not for PR', () => {
    const tally = readTally({ pr: 2 });
    tally.answer('A', 'owner', false);
    tally.answer('D', 'owner', false);
    expect([tally.answered, tally.owners, tally.verdict()]).toEqual([2, 1, 'pending']);
    tally.answer('B', 'owner', false);
    expect(tally.verdict()).toBe('met');
  });

  test('counts an owner that calls itself a fallback as one', () => {
    const tally = readTally({ mode: 'strict' });
    tally.answer('A', 'owner', false);
    tally.answer('B', 'fallback', false);
    expect([tally.answered, tally.verdict()]).toEqual([1, 'impossible']);
  });

  test('counts doubt for no strict quorum and not for PR', () => {
    const strict = readTally({ mode: 'strict' });
    const primary = readTally({ pr: 1 });
    for (const tally of [strict, primary]) for (const node of ['A', 'B']) tally.answer(node, 'owner', true);
    expect(strict.verdict()).toBe('impossible');
    expect([primary.answered, primary.verdict()]).toEqual([2, 'impossible']);
  });

  test('keeps an answer when its node is lost, and drops it when it is withdrawn', () => {
    const tally = readTally({});
    tally.answer('A', 'owner', false);
    tally.answer('B', 'owner', false);
    tally.lose('A');
    expect(tally.verdict()).toBe('met');
    tally.withdraw('A');
    expect(tally.verdict()).toBe('pending');
    tally.lose('D');
    expect(tally.verdict()).toBe('impossible');
  });
});
