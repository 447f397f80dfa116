/**
 * One workload on one engine, in a process and a directory of its own: started by engine.ts with the task as JSON in its
 * argument, it prints one line of JSON.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type EngineName, openEngine } from './engines.ts';
import { PauseMeter } from './pause-meter.ts';
import { load, WORKLOADS } from './workloads.ts';

export interface EngineTask {
  readonly workload: string;
  readonly engine: EngineName;
  readonly directory: string;
  readonly entries: number;
}

export interface EngineOutcome {
  readonly operations: number;
  readonly elapsedMs: number;
  /** The longest time for which the event loop did not turn while the clock ran. */
  readonly pauseMaxMs: number;
  /** Most memory the process has had, the load before included. */
  readonly memoryMaxMiB: number;
}

async function runTask(task: EngineTask): Promise<EngineOutcome> {
  const workload = WORKLOADS.find(({ name }) => name === task.workload);
  if (workload === undefined) throw new Error(`there is no workload ${task.workload}`);
  const directory = join(task.directory, 'engine');
  if (workload.isLoaded) {
    const loading = await openEngine(task.engine, directory);
    await load(loading, task.entries);
    await loading.close();
  }
  const run = workload.prepare(task.entries);
  const engine = await openEngine(task.engine, directory);
  const pauses = new PauseMeter();
  const start = performance.now();
  const operations = await run(engine);
  const elapsedMs = performance.now() - start;
  const pauseMaxMs = pauses.stop();
  await engine.close();
  const memoryMaxMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  return { operations, elapsedMs, pauseMaxMs, memoryMaxMiB };
}

console.log(JSON.stringify(await runTask(JSON.parse(process.argv[2] ?? '') as EngineTask)));
