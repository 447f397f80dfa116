import { describe, expect, test } from 'vitest';
import { failureText } from './report.ts';
import { simulate } from './simulator.ts';

describe('the simulated cluster', () => {
  test.for([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('keeps its promises under the faults of seed %i', async (seed) => {
    const report = await simulate({ seed });
    expect(failureText(report, 'this tree', `--seed ${seed}`)).toBe('');
    expect(report.commands['ok'] ?? 0).toBeGreaterThan(100);
    expect(Object.values(report.commands).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(300);
    expect(report.faults.partitions).toBeGreaterThanOrEqual(1);
    expect(report.faults.droppingCrashes).toBeGreaterThanOrEqual(1);
    expect(report.faults.droppedBytes).toBeGreaterThan(0);
  });

  test('a seed gives the same run again, and another seed another one', async () => {
    const [first, again, other] = [
      await simulate({ seed: 77 }),
      await simulate({ seed: 77 }),
      await simulate({ seed: 78 }),
    ];
    expect(again).toEqual(first);
    expect(other.traceHash).not.toBe(first.traceHash);
  });

  test('a node that reads the clock of the process, or its chance, is found out', async () => {
    const { forbidGlobals, allowGlobals } = await import('./forbidden-globals.ts');
    forbidGlobals();
    const refusals = [
      () => Date.now(),
      () => new Date(),
      () => Math.random(),
      () => performance.now(),
      () => setTimeout(() => {}, 1),
    ].map((use) => {
      try {
        use();
        return 'worked';
      } catch (error) {
        return (error as Error).message;
      }
    });
    allowGlobals();
    for (const refusal of refusals) expect(refusal).toContain('was used in simulation');
    expect(Date.now()).toBeGreaterThan(0);
  });
});
