/** What was measured, as plain data: this is what `--json` writes. */
import type { Machine } from './machine.ts';
import type { BenchmarkOptions } from './options.ts';

/** One workload on one subject, once. */
export interface RunResult {
  readonly operationsPerSecond: number;
  /** What else was seen, unit in the name. */
  readonly details: Readonly<Record<string, number>>;
}

/** One workload on one subject. */
export interface Measurement {
  readonly workload: string;
  readonly subject: string;
  readonly runs: readonly RunResult[];
  readonly medianOperationsPerSecond: number;
}

/** The medians of ours over those of a peer; 2 is twice as fast. */
export interface Ratio {
  readonly workload: string;
  readonly subject: string;
  readonly peer: string;
  readonly ratio: number;
  /** Our slowest run over their fastest, and the other way round: how far noise could have moved it. */
  readonly lowest: number;
  readonly highest: number;
}

export interface Section {
  readonly title: string;
  readonly about: string;
  readonly measurements: readonly Measurement[];
  readonly ratios: readonly Ratio[];
  /** What could not be measured, and why. */
  readonly missing: readonly string[];
}

export interface BenchmarkResult {
  readonly machine: Machine;
  readonly options: BenchmarkOptions;
  readonly sections: readonly Section[];
}

/** Collects runs as they come, interleaved, and sums them up. */
export class SectionBuilder {
  readonly #title: string;
  readonly #about: string;
  readonly #runs = new Map<string, { workload: string; subject: string; runs: RunResult[] }>();
  readonly #missing = new Set<string>();

  constructor(title: string, about: string) {
    this.#title = title;
    this.#about = about;
  }

  add(workload: string, subject: string, run: RunResult): void {
    const key = `${workload}\n${subject}`;
    const entry = this.#runs.get(key) ?? { workload, subject, runs: [] };
    entry.runs.push(run);
    this.#runs.set(key, entry);
  }

  miss(reason: string): void {
    this.#missing.add(reason);
  }

  /** Ratios of each of ours to each peer that did the same workload. */
  build(isOurs: (subject: string) => boolean): Section {
    const measurements = [...this.#runs.values()].map((entry) => ({
      ...entry,
      medianOperationsPerSecond: median(entry.runs.map(speed)),
    }));
    const ours = measurements.filter(({ subject }) => isOurs(subject));
    const ratios = ours.flatMap((own) => {
      const peers = measurements.filter((other) => other.workload === own.workload && !isOurs(other.subject));
      return peers.map((peer) => ratioOf(own, peer));
    });
    return { title: this.#title, about: this.#about, measurements, ratios, missing: [...this.#missing] };
  }
}

function ratioOf(own: Measurement, peer: Measurement): Ratio {
  const [ownSpeeds, peerSpeeds] = [own.runs.map(speed), peer.runs.map(speed)];
  return {
    workload: own.workload,
    subject: own.subject,
    peer: peer.subject,
    ratio: own.medianOperationsPerSecond / peer.medianOperationsPerSecond,
    lowest: Math.min(...ownSpeeds) / Math.max(...peerSpeeds),
    highest: Math.max(...ownSpeeds) / Math.min(...peerSpeeds),
  };
}

function speed(run: RunResult): number {
  return run.operationsPerSecond;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
