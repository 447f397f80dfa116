/** Where and of what a result was taken: a number without this line means nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { rootDirectory } from './places.ts';

export interface Machine {
  readonly date: string;
  /** Short hash; `-dirty` behind it when sources differ from it. */
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** One-minute load average before the first workload. */
  readonly loadBefore: number;
}

/** Above this something else was running, and the ratios are worth little. */
const LOAD_QUIET_MAX = 0.7;

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    cpu: processors[0]?.model.trim() ?? 'unknown processor',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGiB, system, node, commit: hash, date, loadBefore } = machine;
  const hardware = `${cpu}, ${cores} cores, ${memoryGiB} GiB`;
  return `${hardware}, ${system}, Node ${node}, commit ${hash}, ${date}, load before ${loadBefore.toFixed(2)}`;
}

/** A warning for people, `undefined` on a quiet machine. */
export function noiseWarning({ loadBefore }: Machine): string | undefined {
  if (loadBefore <= LOAD_QUIET_MAX) return undefined;
  return `The machine was not quiet before this run (load ${loadBefore.toFixed(2)}): take the ratios as rough.`;
}

function commit(): string {
  try {
    const hash = git('rev-parse', '--short=10', 'HEAD');
    const changed = git('status', '--porcelain', '--untracked-files=no');
    return changed === '' ? hash : `${hash}-dirty`;
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    cwd: rootDirectory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}
