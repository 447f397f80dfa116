/**
 * A closed loop of load: each client keeps `pipeline` commands under way, and sends the next ones when all have answered. A
 * latency is from a command's sending to its own answer, so that with a pipeline it holds the wait behind the ones before.
 */
import type { LoadConnection } from '../connection.ts';
import { Latencies, type LatencySummary } from './latencies.ts';
import type { Progress } from './progress.ts';

export const WORKLOADS = ['set', 'get', 'mixed'] as const;
export type Workload = (typeof WORKLOADS)[number];

export interface LoadOptions {
  readonly workload: Workload;
  /** Infinity: as long as `durationMs` says. */
  readonly requests: number;
  readonly durationMs: number;
  readonly pipeline: number;
  readonly valueBytes: number;
  /** How many keys are used, `kvctl-bench:0` and so on. */
  readonly keys: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly errors: number;
  /** GETs that found nothing. */
  readonly misses: number;
  readonly firstError: unknown;
  readonly seconds: number;
  readonly perSecond: number;
  readonly latencyMs: LatencySummary;
}

export interface LoadDependencies {
  readonly clients: readonly LoadConnection[];
  readonly nowMs: () => number;
  readonly progress: Progress;
}

export const KEY_PREFIX = 'kvctl-bench:';

export async function runLoad(
  options: LoadOptions,
  { clients, nowMs, progress }: LoadDependencies,
): Promise<LoadResult> {
  const load = new Load(options, nowMs, progress);
  await Promise.all(clients.map((client) => load.drive(client)));
  progress.stop();
  return load.result();
}

class Load {
  readonly #options: LoadOptions;
  readonly #nowMs: () => number;
  readonly #progress: Progress;
  readonly #value: string;
  readonly #latencies = new Latencies();
  readonly #startedMs: number;
  #taken = 0;
  #done = 0;
  #errors = 0;
  #misses = 0;
  #firstError: unknown;

  constructor(options: LoadOptions, nowMs: () => number, progress: Progress) {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#progress = progress;
    this.#value = 'x'.repeat(options.valueBytes);
    this.#startedMs = nowMs();
  }

  async drive(client: LoadConnection): Promise<void> {
    const { requests, pipeline } = this.#options;
    while (this.#taken < requests && client.isOpen && this.#elapsedMs() < this.#options.durationMs) {
      const batch = Math.min(pipeline, requests - this.#taken);
      const first = this.#taken;
      this.#taken += batch;
      await Promise.all(Array.from({ length: batch }, (_, i) => this.#one(client, first + i)));
      this.#tell();
    }
  }

  result(): LoadResult {
    const seconds = this.#elapsedMs() / 1000;
    return {
      requests: this.#done,
      errors: this.#errors,
      misses: this.#misses,
      firstError: this.#firstError,
      seconds,
      perSecond: this.#perSecond(),
      latencyMs: this.#latencies.summary(),
    };
  }

  async #one(client: LoadConnection, number: number): Promise<void> {
    const { workload, keys } = this.#options;
    const key = KEY_PREFIX + spread(number, keys);
    const isGet = workload === 'get' || (workload === 'mixed' && number % 2 === 1);
    const sentMs = this.#nowMs();
    try {
      const reply = await client.send(isGet ? ['GET', key] : ['SET', key, this.#value]);
      if (reply === null) this.#misses++;
      this.#latencies.record(this.#nowMs() - sentMs);
    } catch (error) {
      this.#errors++;
      this.#firstError ??= error;
    }
    this.#done++;
  }

  #tell(): void {
    const { requests } = this.#options;
    this.#progress.update(requests === Infinity ? Math.round(this.#elapsedMs() / 1000) : this.#done, this.#perSecond());
  }

  #perSecond(): number {
    const elapsedMs = this.#elapsedMs();
    return elapsedMs === 0 ? 0 : Math.round((1000 * this.#done) / elapsedMs);
  }

  #elapsedMs(): number {
    return this.#nowMs() - this.#startedMs;
  }
}

/** The same keys in the same order in every run, but not side by side: Knuth's multiplicative hash. */
function spread(number: number, keys: number): number {
  return (Math.imul(number >>> 1, 0x9e3779b1) >>> 0) % keys;
}
