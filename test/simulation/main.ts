import { simulate } from './simulator.ts';
const seed = Number(process.argv[2] ?? 1);
const t = performance.now();
const report = await simulate({ seed });
console.log(JSON.stringify(report, null, 1));
console.log(performance.now() - t, 'ms');
console.log(report.violation?.history); console.log(report.violation?.logs); console.log(report.violation?.stack)
