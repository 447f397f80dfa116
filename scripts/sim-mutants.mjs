// npm run sim:mutants [-- NAME …]: plants each known bug in a copy of the sources and shows which invariant finds it.
import { runSource } from './prepare.mjs';

runSource('test/mutants/main.ts', process.argv.slice(2));
