/**
 * npm run sim -- --seeds 200 [--first-seed 1]     many seeds, one line each where it matters, and a summary
 * npm run sim -- --seed 42                        one seed, in full
 *
 * Options: --nodes 5, --operations 320, --rerun 10 (percent of passing seeds that are run twice to compare hashes),
 * --stop-at-failure.
 * Exit code 1 when an invariant is broken or a seed does not replay.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { addReport, emptyTotals, failureText, seedText, summaryText } from './report.ts';
import { simulate, type SimulationReport } from './simulator.ts';

const HELP = `npm run sim -- [flags]
  --seeds N            seeds to run (20)
  --first-seed S       the first of them (1)
  --seed N             one seed, told in full
  --nodes N            nodes of the cluster (5)
  --operations N       client operations of a seed, about (320)
  --rerun N            one seed in so many is run twice to compare the hashes (10)
  --stop-at-failure    do not go on after a broken invariant`;

const { values } = readFlags();

const commit = currentCommit();
const world = { nodes: whole('nodes', 1, 16), operations: whole('operations', 1, 1e6) };
process.exitCode =
  values.seed === undefined ? await runMany() : await runOne(whole('seed', 0, Number.MAX_SAFE_INTEGER));

async function runOne(seed: number): Promise<number> {
  const report = await simulate({ ...world, seed });
  console.log(seedText(report, commit));
  if (report.violation !== undefined) console.log(failureText(report, commit, replayArguments(seed)));
  return report.violation === undefined ? 0 : 1;
}

async function runMany(): Promise<number> {
  const [first, count] = [whole('first-seed', 0, Number.MAX_SAFE_INTEGER), whole('seeds', 1, 1e7)];
  const totals = emptyTotals();
  const startedMs = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    const report = await simulate({ ...world, seed });
    const replayed = report.violation !== undefined || isSampled(seed) ? await simulate({ ...world, seed }) : report;
    addReport(totals, report);
    if (report.violation !== undefined) say(failureText(report, commit, replayArguments(seed)));
    if (replayed !== report) totals.reruns++;
    if (replayed.traceHash !== report.traceHash) {
      totals.unequal++;
      say(`seed ${seed} does not replay: ${report.traceHash}, then ${replayed.traceHash}`);
    }
    progress(seed - first + 1, count, report);
    if (report.violation !== undefined && values['stop-at-failure']) break;
  }
  clearProgress();
  console.log(summaryText(totals, { commit, first, count, realMs: performance.now() - startedMs }));
  return totals.failures + totals.unequal === 0 ? 0 : 1;
}

/** Every so many seeds, whichever they start from. */
function isSampled(seed: number): boolean {
  const percent = whole('rerun', 0, 100);
  return percent > 0 && seed % Math.round(100 / percent) === 0;
}

function replayArguments(seed: number): string {
  const extra = [
    ...(world.nodes === 5 ? [] : [`--nodes ${world.nodes}`]),
    ...(world.operations === 320 ? [] : [`--operations ${world.operations}`]),
  ];
  return [`--seed ${seed}`, ...extra].join(' ');
}

function progress(done: number, count: number, { violation }: SimulationReport): void {
  if (!process.stdout.isTTY) return;
  process.stdout.write(`\r${done} of ${count} seeds${violation === undefined ? '' : ', failing'} `);
}

function clearProgress(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
}

function say(text: string): void {
  clearProgress();
  console.log(text);
}

function whole(name: keyof typeof values, least: number, most: number): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  console.error(`--${name} is '${values[name]}': it must be a whole number from ${least} to ${most}`);
  process.exit(2);
}

function currentCommit(): string {
  try {
    const changed =
      execFileSync('git', ['status', '--porcelain', '--', 'packages', 'test'], { encoding: 'utf8' }) !== '';
    return `${execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim()}${changed ? ' (with changes)' : ''}`;
  } catch {
    return 'unknown';
  }
}

function readFlags() {
  try {
    const flags = parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string', default: '20' },
        'first-seed': { type: 'string', default: '1' },
        nodes: { type: 'string', default: '5' },
        operations: { type: 'string', default: '320' },
        rerun: { type: 'string', default: '10' },
        'stop-at-failure': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (!flags.values.help) return flags;
    console.log(HELP);
    process.exit(0);
  } catch (error) {
    console.error(`sim: ${(error as Error).message}\n${HELP}`);
    process.exit(2);
  }
}
