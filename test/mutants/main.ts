/** npm run sim:mutants [-- name …]: plants each bug in a copy of the tree, and says which invariant finds it. Exit code 1 when one is not found. */
import { MUTANTS } from './mutants.ts';
import { runMutant } from './run-mutant.ts';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
if (unknown.length > 0) {
  console.error(`no mutant is called ${unknown.join(', ')}; there are ${MUTANTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

let missed = 0;
for (const mutant of MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const startedMs = performance.now();
  const { caught, seed, invariant, output } = await runMutant(mutant);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (caught) console.log(`${mutant.name}: caught by seed ${seed}: ${invariant} (${seconds} s)`);
  else {
    missed++;
    console.log(
      `${mutant.name}: NOT caught by seeds ${mutant.seeds.first} to ${mutant.seeds.first + mutant.seeds.count - 1} (${seconds} s)`,
    );
    console.log(output.split('\n').slice(-5).join('\n'));
  }
}
process.exitCode = missed === 0 ? 0 : 1;
