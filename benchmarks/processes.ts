/** Child processes: one that is run to its end, one that serves until it is stopped. None outlives this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { profilesDirectory } from './places.ts';

const STOP_TIMEOUT_MS = 15_000;
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // `kvd dev` has children of its own, which go with it when it is asked, or when its stdin ends.
  process.on(signal, () => {
    for (const child of alive) child.kill('SIGTERM');
    setTimeout(() => process.exit(1), 3000);
  });
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Resolves to what the program printed; rejects with its last words when it fails or takes too long. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = start(program, args, options.environment);
    const output = collect(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(output.stdout());
      const ending = signal === null ? `exit code ${code}` : `${signal}, after ${options.timeoutMs} ms at most`;
      reject(new Error(`${program} ended with ${ending}: ${lastLines(output.all())}`));
    });
  });
}

export interface Service {
  /** What it has written, for the message when it does not come up. */
  readonly output: () => string;
  readonly hasEnded: () => boolean;
  /** Asks it to stop, ends it when it does not. */
  stop(): Promise<void>;
}

export function serve(program: string, args: readonly string[]): Service {
  const child = start(program, args);
  const output = collect(child);
  let isEnded = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      isEnded = true;
      resolve();
    };
    child.on('close', end);
    child.on('error', end);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  };
  return { output: () => lastLines(output.all()), hasEnded: () => isEnded, stop };
}

/** Node's arguments for a source file, profiled when asked. */
export function sourceArguments(file: string, isProfiled: boolean): string[] {
  const profile = isProfiled ? ['--cpu-prof', `--cpu-prof-dir=${profilesDirectory}`] : [];
  return ['--conditions=source', ...profile, file];
}

function start(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const env = { ...process.env, ...environment };
  // stdin is a pipe that ends with this process: what is told to watch it goes too.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
  alive.add(child);
  child.on('close', () => alive.delete(child));
  child.on('error', () => alive.delete(child));
  return child;
}

function collect(child: ChildProcess): { readonly stdout: () => string; readonly all: () => string } {
  let stdout = '';
  let all = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    all += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    all += chunk;
  });
  return { stdout: () => stdout, all: () => all };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n') || 'no output';
}
