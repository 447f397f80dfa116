// npm run sim -- --seed 42: the simulator, from sources.
import { runSource } from './prepare.mjs';

runSource('test/simulation/main.ts', process.argv.slice(2));
