import { describe, expect, test } from 'vitest';
import { confirmationsNeeded, judge, type Judgement, patience } from '../../src/membership/failure-detector.ts';
import { type MemberView, unheardMember } from '../../src/membership/member.ts';

const evidence = { confirmations: 2, suspectedByMax: 8, known: () => true };

function at(now: number): Judgement {
  return { now, self: 'a', suspectAfterMs: 5000, deadAfterMs: 15_000, evidence };
}

function member(over: Partial<MemberView> = {}): MemberView {
  return { ...unheardMember({ id: 'm', host: 'h', port: 1, peerPort: 2 }, 0), ...over };
}

describe('failure detector', () => {
  test('a member is alive until its heartbeat has not moved for suspectAfterMs', () => {
    expect(judge(member(), at(4999)).state).toBe('alive');
    const suspect = judge(member(), at(5000));
    expect([suspect.state, suspect.suspectedBy]).toEqual(['suspect', ['a']]);
  });

  test('one witness alone never makes a member dead', () => {
    expect(judge(member(), at(1e9)).state).toBe('suspect');
  });

  test('two witnesses make it dead, after deadAfterMs and not before', () => {
    const suspected = member({ state: 'suspect', suspectedBy: ['b'] });
    expect(judge(suspected, at(14_999)).state).toBe('suspect');
    expect(judge(suspected, at(15_000))).toMatchObject({ state: 'dead', suspectedBy: ['a', 'b'] });
  });

  test('others who suspect it do not make this node suspect a member that it hears from', () => {
    const suspected = member({ state: 'suspect', suspectedBy: ['b', 'c'], movedAtMs: 14_000 });
    expect(judge(suspected, at(15_000))).toBe(suspected);
  });

  test('a member that has left is not judged', () => {
    expect(judge(member({ state: 'left' }), at(1e9)).state).toBe('left');
  });

  test('as many witnesses are needed as there can be, at most two', () => {
    expect([1, 2, 3, 4, 100].map(confirmationsNeeded)).toEqual([1, 1, 2, 2, 2]);
  });

  test('larger clusters are judged more patiently', () => {
    expect([3, 10, 100].map(patience)).toEqual([1, 1, 2]);
  });
});
