/** The flags of `npm run bench`: plain data, checked at the door. */
import { parseArgs } from 'node:util';

export const SECTIONS = ['engine', 'server'] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface BenchmarkOptions {
  /** Fresh processes per workload and subject; the median counts. */
  readonly runs: number;
  /** Entries of the engine's workloads. */
  readonly entries: number;
  /** Requests of one redis-benchmark without pipelining; four times as many with it. */
  readonly requests: number;
  readonly sections: readonly SectionName[];
  /** Only workloads whose name contains this; empty: all. */
  readonly workload: string;
  /** Only subjects whose name contains this; empty: all. */
  readonly subject: string;
  /** Also write the result there. */
  readonly jsonFile: string | undefined;
  /** Write CPU profiles of what is ours into benchmarks/.profiles. */
  readonly isProfiled: boolean;
}

export const HELP = `npm run bench -- [flags]
  --runs N        fresh processes per workload and subject (default 3)
  --entries N     entries of the engine's workloads (default 200000)
  --full          1000000 entries, as docs quote them
  --requests N    requests per redis-benchmark run (default 50000; four times that when pipelined)
  --only NAME     one section: ${SECTIONS.join(' or ')}
  --workload TEXT only workloads with this in their name
  --subject TEXT  only subjects with this in their name
  --json FILE     also write the result there
  --cpu-prof      write CPU profiles of kvd to benchmarks/.profiles (slower; never quote such a run)
A run of everything is kept in benchmarks/results; benchmarks/README.md says how to read it.`;

/** Answers the options, or `undefined` when help was asked for. Throws with a line for people. */
export function parseOptions(args: readonly string[]): BenchmarkOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '3' },
      entries: { type: 'string' },
      full: { type: 'boolean', default: false },
      requests: { type: 'string', default: '50000' },
      only: { type: 'string' },
      workload: { type: 'string', default: '' },
      subject: { type: 'string', default: '' },
      json: { type: 'string' },
      'cpu-prof': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  if (values.full && values.entries !== undefined) throw new Error('--full and --entries exclude each other');
  return {
    runs: count('runs', values.runs, 1),
    entries: count('entries', values.entries ?? (values.full ? '1000000' : '200000'), 1000),
    requests: count('requests', values.requests, 1000),
    sections: values.only === undefined ? SECTIONS : [sectionOf(values.only)],
    workload: values.workload,
    subject: values.subject,
    jsonFile: values.json,
    isProfiled: values['cpu-prof'],
  };
}

/** Whether everything is measured: only such a run is kept. */
export function isComplete({ sections, workload, subject, isProfiled }: BenchmarkOptions): boolean {
  return sections.length === SECTIONS.length && workload === '' && subject === '' && !isProfiled;
}

function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name} must be a whole number of at least ${least}, found ${text}`);
}

function sectionOf(text: string): SectionName {
  const found = SECTIONS.find((name) => name === text);
  if (found === undefined) throw new Error(`--only must be one of ${SECTIONS.join(', ')}, found ${text}`);
  return found;
}
