/** Latencies in microseconds, to three digits: the only file that imports hdr-histogram-js. */
import hdr from 'hdr-histogram-js';

const PERCENTILES = { p50: 50, p95: 95, p99: 99, p999: 99.9 } as const;

export type LatencySummary = Readonly<Record<keyof typeof PERCENTILES | 'mean' | 'max', number>>;

export class Latencies {
  readonly #histogram = hdr.build({ numberOfSignificantValueDigits: 3, autoResize: true });

  record(ms: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(ms * 1000)));
  }

  /** In milliseconds; zeros when nothing was recorded. */
  summary(): LatencySummary {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / 1000;
    const { p50, p95, p99, p999 } = PERCENTILES;
    if (this.#histogram.totalCount === 0) return { mean: 0, p50: 0, p95: 0, p99: 0, p999: 0, max: 0 };
    const mean = Math.round(this.#histogram.mean) / 1000;
    return { mean, p50: at(p50), p95: at(p95), p99: at(p99), p999: at(p999), max: this.#histogram.maxValue / 1000 };
  }
}
