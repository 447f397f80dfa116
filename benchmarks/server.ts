/** kvd as a server beside redis-server and a bare Node server, by redis-benchmark; each subject in turn, started anew. */
import { rotated } from './engine.ts';
import type { BenchmarkOptions } from './options.ts';
import { withDirectory } from './places.ts';
import { run } from './processes.ts';
import { type RunResult, type Section, SectionBuilder } from './results.ts';
import { freePort, isInstalled, SERVER_SUBJECTS, type ServerSubject, whenReady } from './server-subjects.ts';

const CLIENTS = 50;
const VALUE_BYTES = 100;
/** Keys are drawn from this many, so that no single key is hot. */
const KEYS = 100_000;
const PIPELINE = 16;
const PIPELINED_SHARE = 4;
const WARM_UP_SHARE = 2;
const TIMEOUT_MS = 300_000;
const INSTALL = 'Debian: apt-get install redis-server redis-tools';

interface ServerWorkload {
  readonly name: string;
  readonly test: 'set' | 'get';
  readonly pipeline: number;
}

/** In this order on one server: GET finds what SET wrote. */
const SERVER_WORKLOADS: readonly ServerWorkload[] = [
  { name: 'SET', test: 'set', pipeline: 1 },
  { name: `SET -P ${PIPELINE}`, test: 'set', pipeline: PIPELINE },
  { name: 'GET', test: 'get', pipeline: 1 },
  { name: `GET -P ${PIPELINE}`, test: 'get', pipeline: PIPELINE },
];

export async function benchmarkServers(options: BenchmarkOptions, report: (line: string) => void): Promise<Section> {
  const about = `redis-benchmark -c ${CLIENTS} -d ${VALUE_BYTES} -r ${KEYS}, through one port, after a warm-up. kvd answers a SET after fdatasync on W nodes (one; two of three); redis, always, after its own fsync; redis, everysec, and the bare Node server (a Map) before any.`;
  const section = new SectionBuilder('Server', about);
  if (!isInstalled('redis-benchmark')) {
    section.miss(`everything: there is no redis-benchmark on the path (${INSTALL})`);
    return section.build(isOurs);
  }
  const subjects = SERVER_SUBJECTS.filter(({ name }) => name.includes(options.subject)).filter((subject) => {
    const isThere = subject.needs === undefined || isInstalled(subject.needs);
    if (!isThere) section.miss(`${subject.name}: there is no ${subject.needs} on the path (${INSTALL})`);
    return isThere;
  });
  for (let round = 0; round < options.runs; round++) {
    for (const subject of rotated(subjects, round)) {
      await measure(subject, options, section);
      report(`server: ${subject.name}, run ${round + 1} of ${options.runs} done`);
    }
  }
  return section.build(isOurs);
}

function isOurs(subject: string): boolean {
  return SERVER_SUBJECTS.some(({ name, isOurs: ours }) => name === subject && ours);
}

async function measure(subject: ServerSubject, options: BenchmarkOptions, section: SectionBuilder): Promise<void> {
  try {
    await withDirectory((directory) => measureIn(directory, subject, options, section));
  } catch (error) {
    section.miss(`${subject.name}: ${(error as Error).message}`);
  }
}

async function measureIn(
  directory: string,
  subject: ServerSubject,
  { requests, workload: filter, isProfiled }: BenchmarkOptions,
  section: SectionBuilder,
): Promise<void> {
  const port = await freePort(subject.ports);
  const service = subject.start({ port, directory, isProfiled });
  try {
    await whenReady(
      service,
      Array.from({ length: subject.ports }, (_, i) => port + i),
    );
    for (const test of ['set', 'get'] as const) {
      await load(port, { name: '', test, pipeline: PIPELINE }, requests * WARM_UP_SHARE);
    }
    for (const workload of SERVER_WORKLOADS.filter(({ name }) => name.includes(filter))) {
      const count = workload.pipeline === 1 ? requests : requests * PIPELINED_SHARE;
      section.add(workload.name, subject.name, await load(port, workload, count));
    }
  } finally {
    await service.stop();
  }
}

async function load(port: number, { test, pipeline }: ServerWorkload, requests: number): Promise<RunResult> {
  const flags = { '-h': '127.0.0.1', '-p': port, '-t': test, '-c': CLIENTS, '-d': VALUE_BYTES, '-r': KEYS };
  const args = Object.entries({ ...flags, '-n': requests, '-P': pipeline }).flatMap(([flag, value]) => [
    flag,
    `${value}`,
  ]);
  // -e: an error reply is printed, not counted as an answer.
  const output = await run('redis-benchmark', [...args, '-e', '--csv'], { timeoutMs: TIMEOUT_MS });
  const problem = output.split('\n').find((line) => line.includes('Error from server'));
  if (problem !== undefined) throw new Error(problem);
  return parse(output);
}

/** "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms" */
function parse(output: string): RunResult {
  const rows = output
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('"'));
  const [header = [], values = []] = rows.map((line) => line.split(',').map((cell) => cell.replaceAll('"', '')));
  const field = (name: string) => Number(values[header.indexOf(name)]);
  const operationsPerSecond = field('rps');
  if (!Number.isFinite(operationsPerSecond)) throw new Error(`redis-benchmark said: ${output}`);
  return { operationsPerSecond, details: { p50Ms: field('p50_latency_ms'), p99Ms: field('p99_latency_ms') } };
}
