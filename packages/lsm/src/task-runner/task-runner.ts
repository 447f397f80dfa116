import type { Job, JobResult } from '../compaction/job.ts';

/** Runs background jobs away from the main thread (worker-runner.ts) or on it (inline-runner.ts, for tests and simulation). */
export interface TaskRunner {
  run(job: Job, done: (error: Error | undefined, result: JobResult | undefined) => void): void;
  close(): Promise<void>;
}
