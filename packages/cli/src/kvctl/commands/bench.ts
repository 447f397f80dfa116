/** `kvctl bench`: load from this machine on one node. A tool for comparing, not a measurement of a cluster's limits. */
import { Argument, Option, typedFlags } from '../../command-line.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { formatFields } from '../../output.ts';
import { KEY_PREFIX, type LoadOptions, type LoadResult, runLoad, WORKLOADS, type Workload } from '../bench/load.ts';
import { NO_PROGRESS, type Progress, startProgress } from '../bench/progress.ts';
import { type ConnectionTarget, connectForLoad, explain } from '../connection.ts';
import { durationFlag, numberFlag, print, targetOf } from '../context.ts';
import type { KvctlBuilder } from '../program.ts';

const MEBIBYTE = 1024 * 1024;
const REQUESTS = 100_000;

interface BenchOptions extends LoadOptions {
  readonly clients: number;
}

export function addBench({ add, terminal, environment }: KvctlBuilder): void {
  const bench = add('bench', 'load one node, and tell throughput and latencies', [
    'kvctl bench set',
    'kvctl bench mixed --clients 50 --pipeline 16 --requests 500000',
    'kvctl bench get --duration 30s --json',
    '',
    `It writes keys that begin with ${KEY_PREFIX} and leaves them there.`,
  ])
    .addArgument(new Argument('[workload]', 'what is sent (default: mixed)').choices(WORKLOADS))
    .addOption(new Option('--clients <number>', 'connections (default: 20)'))
    .addOption(new Option('--requests <number>', `how many in all (default: ${REQUESTS})`))
    .addOption(new Option('--duration <duration>', 'go on so long, however many requests').conflicts('requests'))
    .addOption(new Option('--pipeline <number>', 'commands under way for each client (default: 1)'))
    .addOption(new Option('--value-bytes <number>', 'size of a value (default: 100)'))
    .addOption(new Option('--keys <number>', 'how many different keys (default: 10000)'));
  bench.action(async (workload: Workload | undefined) => {
    const flags = typedFlags(bench);
    const options = optionsOf(workload ?? 'mixed', flags);
    const target = targetOf(flags, environment);
    const isDrawn = terminal.isWatched === true && flags['json'] !== true;
    const result = await measure(options, target, () => (isDrawn ? progressOf(options) : NO_PROGRESS));
    const { firstError, ...numbers } = result;
    const why = firstError === undefined ? undefined : explain(firstError, target).message;
    const { workload: kind, clients, pipeline, valueBytes } = options;
    const json = {
      workload: kind,
      clients,
      pipeline,
      valueBytes,
      ...numbers,
      ...(why !== undefined && { firstError: why }),
    };
    print({ json: flags['json'] === true, terminal }, json, lines(options, result));
    if (why !== undefined) terminal.err(`kvctl: ${result.errors} of ${result.requests} requests failed, first: ${why}`);
    terminal.exitCode = result.errors === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
  });
}

function optionsOf(workload: Workload, flags: Readonly<Record<string, unknown>>): BenchOptions {
  const byTime = flags['duration'] !== undefined;
  return {
    workload,
    clients: numberFlag(flags, 'clients', 20, 1000),
    requests: byTime ? Infinity : numberFlag(flags, 'requests', REQUESTS, 1e9),
    durationMs: byTime ? durationFlag(flags, 'duration', '') : Infinity,
    pipeline: numberFlag(flags, 'pipeline', 1, 1000),
    valueBytes: numberFlag(flags, 'value-bytes', 100, 64 * MEBIBYTE),
    keys: numberFlag(flags, 'keys', 10_000, 1e9),
  };
}

async function measure(options: BenchOptions, target: ConnectionTarget, progress: () => Progress): Promise<LoadResult> {
  const opened = await Promise.allSettled(Array.from({ length: options.clients }, () => connectForLoad(target)));
  const clients = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
    return await runLoad(options, { clients, nowMs: () => performance.now(), progress: progress() });
  } finally {
    for (const client of clients) client.close();
  }
}

function progressOf({ requests, durationMs }: LoadOptions): Progress {
  return requests === Infinity ? startProgress(Math.ceil(durationMs / 1000), 's') : startProgress(requests, 'requests');
}

function lines({ workload, clients, pipeline, valueBytes }: BenchOptions, result: LoadResult): readonly string[] {
  const { requests, seconds, perSecond, misses, latencyMs } = result;
  const missed = misses === 0 ? [] : [['found nothing', `${misses} GETs: "kvctl bench set" writes the keys`] as const];
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  return formatFields([
    ['workload', `${workload}, ${clients} clients, pipeline ${pipeline}, values of ${valueBytes} bytes`],
    ['requests', `${requests} in ${seconds.toFixed(2)} s`],
    ['throughput', `${perSecond}/s`],
    ...missed,
    ...Object.entries(latencyMs).map(([name, value]) => [name === 'p999' ? 'p99.9' : name, ms(value)] as const),
  ]);
}
