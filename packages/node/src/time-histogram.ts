/** How long things took, counted in fixed buckets: one addition for each, whatever is later asked of it. */

/** Upper bounds of the buckets, seconds; one more bucket is for what took longer. */
export const TIME_BOUNDS_SECONDS: readonly number[] = Object.freeze([
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
]);

const BOUNDS_MS = Float64Array.from(TIME_BOUNDS_SECONDS, (seconds) => seconds * 1000);

export class TimeHistogram {
  /** Of each bucket, not of those below it too. */
  readonly counts = new Float64Array(BOUNDS_MS.length + 1);
  totalMs = 0;

  observe(elapsedMs: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && elapsedMs > (BOUNDS_MS[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.totalMs += elapsedMs;
  }
}
