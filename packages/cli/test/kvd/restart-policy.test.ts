import { expect, test } from 'vitest';
import { type Death, decide, describeDeath, FAILURES_MAX } from '../../src/kvd/restart-policy.ts';

const killed: Death = { wasReady: true, exitCode: null, signal: 'SIGKILL', lastError: undefined };
const early: Death = { wasReady: false, exitCode: 1, signal: null, lastError: 'boom' };

test('a node that had been ready comes back after the restart delay, however often it failed before', () => {
  expect(decide(killed, 4, 10_000)).toEqual({ kind: 'restart', afterMs: 10_000, failures: 0 });
});

test('a node that dies before it is ready gets longer pauses and a limited number of tries', () => {
  const pauses: number[] = [];
  let failures = 0;
  for (;;) {
    const decision = decide(early, failures, 10_000);
    failures = decision.failures;
    if (decision.kind === 'give-up') break;
    pauses.push(decision.afterMs);
  }
  expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000]);
  expect(failures).toBe(FAILURES_MAX);
});

test('a restart delay above the longest pause is kept', () => {
  expect(decide(early, 3, 120_000)).toMatchObject({ afterMs: 120_000 });
});

test('an exit code that no second try can change is given up at once', () => {
  for (const exitCode of [2, 6]) expect(decide({ ...early, exitCode }, 0, 0).kind).toBe('give-up');
});

test('a death is described by its signal or exit code and its last error', () => {
  expect([killed, early].map(describeDeath)).toEqual(['killed by SIGKILL', 'exit code 1: boom']);
});
