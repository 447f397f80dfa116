// npm run bench: the benchmarks, from sources.
import { runSource } from './prepare.mjs';

runSource('benchmarks/main.ts', process.argv.slice(2));
