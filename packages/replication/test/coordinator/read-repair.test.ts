import { describe, expect, test } from 'vitest';
import { type Answer, staleOwners } from '../../src/coordinator/read-repair.ts';
import { DELETED, EXPIRED, NEW, OLD, STRIPPED } from './records.ts';

function answer(node: string, record: Uint8Array | undefined, role: Answer['role'] = 'owner'): Answer {
  return { node, role, record };
}

function staleAmong(merged: Uint8Array | undefined, ...answers: Answer[]): readonly string[] {
  return staleOwners(answers, merged).map(({ node }) => node);
}

describe('stale owners', () => {
  test('are those whose record differs from the merge, the absent too', () => {
    expect(staleAmong(NEW, answer('A', NEW), answer('B', OLD), answer('C', undefined))).toEqual(['B', 'C']);
  });

  test('are never fallbacks', () => {
    expect(staleAmong(NEW, answer('A', NEW), answer('D', OLD, 'fallback'))).toEqual([]);
  });

  test('lack a tombstone as they would lack a value', () => {
    expect(staleAmong(DELETED, answer('A', DELETED), answer('B', OLD), answer('C', undefined))).toEqual(['B', 'C']);
  });

  test('are nobody when nobody has anything', () => {
    expect(staleAmong(undefined, answer('A', undefined))).toEqual([]);
  });

  test('are not those that have stripped an expired value', () => {
    expect(staleAmong(EXPIRED, answer('A', EXPIRED), answer('B', STRIPPED))).toEqual([]);
  });
});
