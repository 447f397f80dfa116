/** `npm run bench`: all sections in one run, so that their ratios mean something; benchmarks/README.md explains them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { benchmarkEngine } from './engine.ts';
import { describeMachine, machineLine, noiseWarning } from './machine.ts';
import { type BenchmarkOptions, HELP, isComplete, parseOptions } from './options.ts';
import { removeDataAtExit, resultsDirectory, rootDirectory } from './places.ts';
import { toMarkdown } from './report.ts';
import type { BenchmarkResult, Section } from './results.ts';
import { benchmarkServers } from './server.ts';

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) return 0;
  if (typeof options === 'string') return complain(options);
  removeDataAtExit();
  const machine = describeMachine();
  progress(machineLine(machine));
  const warning = noiseWarning(machine);
  if (warning !== undefined) progress(warning);
  const sections: Section[] = [];
  if (options.sections.includes('engine')) sections.push(await benchmarkEngine(options, progress));
  if (options.sections.includes('server')) sections.push(await benchmarkServers(options, progress));
  const result: BenchmarkResult = { machine, options, sections };
  console.log(`\n${toMarkdown(result)}`);
  keep(result, options);
  return sections.every(({ missing }) => missing.length === 0) ? 0 : 1;
}

/** The options; a text that says what is wrong with them; or nothing, when help was asked for and given. */
function readOptions(args: readonly string[]): BenchmarkOptions | string | undefined {
  try {
    const options = parseOptions(args);
    if (options === undefined) console.log(HELP);
    return options;
  } catch (error) {
    return (error as Error).message;
  }
}

function complain(problem: string): number {
  console.error(`${problem}\n${HELP}`);
  return 2;
}

function keep(result: BenchmarkResult, options: BenchmarkOptions): void {
  const json = `${JSON.stringify(result, undefined, 2)}\n`;
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, json);
  if (!isComplete(options)) return;
  mkdirSync(resultsDirectory, { recursive: true });
  const base = join(resultsDirectory, `${result.machine.date}-${result.machine.commit}`);
  writeFileSync(`${base}.json`, json);
  writeFileSync(`${base}.md`, toMarkdown(result));
  progress(`kept in ${relative(rootDirectory, base)}.json and .md`);
}

/** stdout is for the result. */
function progress(line: string): void {
  console.error(`[bench] ${line}`);
}

process.exit(await main(process.argv.slice(2)));
