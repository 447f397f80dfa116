/**
 * Runs jobs on the calling thread, each in a turn of its own: for simulation, where all must happen in one thread, and
 * for platforms without workers. Jobs run one at a time, in order.
 */
import { runJob } from '../compaction/compactor.ts';
import type { Job, JobResult } from '../compaction/job.ts';
import { LsmError } from '../errors.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import type { Timers } from '../timers.ts';
import type { TaskRunner } from './task-runner.ts';

export interface InlineRunnerDependencies {
  readonly fileSystem: FileSystem;
  readonly timers: Pick<Timers, 'defer'>;
}

type JobDone = (error: Error | undefined, result: JobResult | undefined) => void;

export class InlineRunner implements TaskRunner {
  readonly #dependencies: InlineRunnerDependencies;
  #closed = false;

  constructor(dependencies: InlineRunnerDependencies) {
    this.#dependencies = dependencies;
  }

  /** `done` gets LSM_CLOSED when the runner is closed before the job's turn. */
  run(job: Job, done: JobDone): void {
    this.#dependencies.timers.defer(() => this.#runNow(job, done));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #runNow(job: Job, done: JobDone): void {
    let result: JobResult;
    try {
      if (this.#closed) throw new LsmError('LSM_CLOSED', 'the task runner is closed');
      result = runJob(job, { fileSystem: this.#dependencies.fileSystem, threadId: 0 });
    } catch (error) {
      done(error as Error, undefined);
      return;
    }
    done(undefined, result);
  }
}
