/** The simulator finds each planted bug, by an invariant, over few seeds. */
import { describe, expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { runMutant } from './run-mutant.ts';

describe('the simulator finds a planted bug', () => {
  test.for(MUTANTS)('$name', { timeout: 120_000 }, async (mutant) => {
    const { caught, invariant, output } = await runMutant(mutant);
    expect(caught, output.slice(-2000)).toBe(true);
    console.log(`${mutant.name}: ${invariant}`);
  });
});
