/** `@kvd/lsm` beside the other engines: each workload in a fresh process and directory, the engines in turn. */
import { join } from 'node:path';
import type { EngineName } from './engines.ts';
import type { EngineOutcome, EngineTask } from './engine-run.ts';
import type { BenchmarkOptions } from './options.ts';
import { peersProblem } from './peers.ts';
import { benchmarksDirectory, withDirectory } from './places.ts';
import { run, sourceArguments } from './processes.ts';
import { type RunResult, type Section, SectionBuilder } from './results.ts';
import { KEY_BYTES, VALUE_BYTES } from './entries.ts';
import { type Workload, WORKLOADS } from './workloads.ts';

const TIMEOUT_MS = 600_000;

export async function benchmarkEngine(options: BenchmarkOptions, report: (line: string) => void): Promise<Section> {
  const about = `${options.entries} entries, keys of ${KEY_BYTES} bytes, values of ${VALUE_BYTES} bytes, half compressible; a write is answered after write(2), in fillsync after fdatasync.`;
  const section = new SectionBuilder('Engine', about);
  const problem = peersProblem(report);
  if (problem !== undefined) section.miss(problem);
  for (const workload of WORKLOADS.filter(({ name }) => name.includes(options.workload))) {
    const engines = workload.engines.filter((name) => name.includes(options.subject) && (name === 'kvd' || !problem));
    for (let round = 0; round < options.runs; round++)
      await runRound(workload, rotated(engines, round), options, section);
    report(`engine: ${workload.name} done`);
  }
  return section.build((subject) => subject === 'kvd');
}

async function runRound(
  workload: Workload,
  engines: readonly EngineName[],
  { entries, isProfiled }: BenchmarkOptions,
  section: SectionBuilder,
): Promise<void> {
  for (const engine of engines) {
    try {
      const outcome = await withDirectory((directory) =>
        runApart({ workload: workload.name, engine, directory, entries }, isProfiled && engine === 'kvd'),
      );
      section.add(workload.name, engine, asRun(outcome));
    } catch (error) {
      section.miss(`${workload.name} on ${engine}: ${(error as Error).message}`);
    }
  }
}

async function runApart(task: EngineTask, isProfiled: boolean): Promise<EngineOutcome> {
  const file = join(benchmarksDirectory, 'engine-run.ts');
  const args = [...sourceArguments(file, isProfiled), JSON.stringify(task)];
  const environment = { UV_THREADPOOL_SIZE: task.engine === 'classic-level, 64 threads' ? '64' : '4' };
  return JSON.parse(await run(process.execPath, args, { timeoutMs: TIMEOUT_MS, environment })) as EngineOutcome;
}

function asRun({ operations, elapsedMs, pauseMaxMs, memoryMaxMiB }: EngineOutcome): RunResult {
  return { operationsPerSecond: operations / (elapsedMs / 1000), details: { elapsedMs, pauseMaxMs, memoryMaxMiB } };
}

/** Nobody is always first. */
export function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const shift = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(shift), ...items.slice(0, shift)];
}
