import { describe, expect, test } from 'vitest';
import { equalBytes, isSoundRecord, mergeAnswers } from '../../src/coordinator/merge-answers.ts';
import type { Answer } from '../../src/coordinator/read-repair.ts';
import { BOTH, DAMAGED, NEW, OLD, SIBLING } from './records.ts';

function answers(...records: (Uint8Array | undefined)[]): readonly Answer[] {
  return records.map((record, i) => ({ node: 'ABCDE'.charAt(i), role: 'owner' as const, record }));
}

describe('merging answers', () => {
  test('gives the very bytes when all are alike, absent ones aside', () => {
    const { record, damaged } = mergeAnswers(answers(NEW, undefined, Uint8Array.from(NEW)), 'Z');
    expect(record).toBe(NEW);
    expect(damaged).toEqual([]);
  });

  test('of nothing is nothing', () => {
    expect(mergeAnswers(answers(undefined, undefined), 'A').record).toBeUndefined();
    expect(mergeAnswers([], 'A').record).toBeUndefined();
  });

  test('does not depend on their order', () => {
    expect(equalBytes(mergeAnswers(answers(OLD, SIBLING, NEW), 'Z').record, BOTH)).toBe(true);
    expect(equalBytes(mergeAnswers(answers(NEW, OLD, SIBLING), 'Z').record, BOTH)).toBe(true);
  });

  test('names the damaged and leaves them out', () => {
    const { record, damaged } = mergeAnswers(answers(OLD, DAMAGED), 'A');
    expect(equalBytes(record, OLD)).toBe(true);
    expect(damaged.map((answer) => answer.node)).toEqual(['B']);
  });

  test('takes the word of the trusted node for its bytes, not of another', () => {
    expect(mergeAnswers(answers(DAMAGED), 'A').damaged).toEqual([]);
    expect(mergeAnswers(answers(DAMAGED), 'B').damaged.length).toBe(1);
  });

  test('a record is sound if it decodes', () => {
    expect([isSoundRecord(NEW), isSoundRecord(DAMAGED), isSoundRecord(new Uint8Array(0))]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
