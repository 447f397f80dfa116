// npm run check: format and lint, types, and the tidy test. Every step runs, so that one call shows all there is to repair.
import { join } from 'node:path';
import { ensureInstalled, nodeBinary, rootDirectory, run } from './prepare.mjs';

ensureInstalled();

const bin = (name) => join(rootDirectory, 'node_modules/.bin', name);
const vitest = join(rootDirectory, 'node_modules/vitest/vitest.mjs');
const steps = [
  { name: 'format and lint', program: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { name: 'types', program: bin('tsc'), args: ['-p', 'tsconfig.json', '--noEmit'] },
  { name: 'tidy', program: nodeBinary(), args: [vitest, 'run', 'test/tidy.test.ts'] },
];

const failed = [];
for (const step of steps) {
  console.log(`check: ${step.name}`);
  if (run(step.program, step.args) !== 0) failed.push(step.name);
}
console.log(failed.length === 0 ? 'check: all is well' : `check: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
