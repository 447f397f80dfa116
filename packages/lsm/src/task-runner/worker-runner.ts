/**
 * Runs jobs in one worker thread, started with the first job. A worker that dies, for whatever reason, fails the jobs
 * that it had (LSM_COMPACTION), and the next job starts a new one. The thread keeps the process alive only while it has
 * something to do.
 */
import { Worker } from 'node:worker_threads';
import type { Job, JobResult } from '../compaction/job.ts';
import { LsmError } from '../errors.ts';
import type { TaskRunner } from './task-runner.ts';
import { errorFromData, type WorkerReply, type WorkerRequest } from './worker-messages.ts';

type JobDone = (error: Error | undefined, result: JobResult | undefined) => void;

const FROM_SOURCES = import.meta.url.endsWith('.ts');
const DEFAULT_WORKER = new URL(FROM_SOURCES ? './worker.ts' : './worker.js', import.meta.url);

export interface WorkerRunnerOptions {
  /**
   * The module that the thread runs.
   * @default worker.ts beside this file
   */
  readonly workerUrl?: URL;
}

export class WorkerRunner implements TaskRunner {
  readonly #workerUrl: URL;
  readonly #jobs = new Map<number, JobDone>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: WorkerRunnerOptions = {}) {
    this.#workerUrl = options.workerUrl ?? DEFAULT_WORKER;
  }

  /** `done` is called in a later turn: with LSM_CLOSED if the runner is or gets closed, LSM_COMPACTION if the worker dies. */
  run(job: Job, done: JobDone): void {
    if (this.#closed) {
      setImmediate(() => done(closedError(), undefined));
      return;
    }
    const id = this.#nextId++;
    this.#jobs.set(id, done);
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    const request: WorkerRequest = { id, job };
    worker.postMessage(request);
  }

  /** Stops the thread, in the middle of a job if need be; its outputs are then orphans for the next open. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#failAll(closedError());
  }

  #start(): Worker {
    const worker = new Worker(this.#workerUrl, {
      name: 'kvd-lsm',
      // Not inherited: the parent may run with options that a worker refuses.
      execArgv: FROM_SOURCES ? ['--conditions=source'] : [],
    });
    let cause: unknown;
    worker.on('message', (reply: WorkerReply) => this.#replied(worker, reply));
    worker.on('messageerror', (error) => {
      cause = error;
      void worker.terminate();
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (exitCode) => this.#died(worker, cause ?? new Error(`exit code ${exitCode}`)));
    return worker;
  }

  #replied(worker: Worker, reply: WorkerReply): void {
    const done = this.#jobs.get(reply.id);
    this.#jobs.delete(reply.id);
    if (this.#jobs.size === 0) worker.unref();
    if (done === undefined) return;
    if ('error' in reply) done(errorFromData(reply.error), undefined);
    else done(undefined, reply.result);
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const what = cause instanceof Error ? cause.message : String(cause);
    this.#failAll(new LsmError('LSM_COMPACTION', `the worker thread died: ${what}`, { cause }));
  }

  #failAll(error: LsmError): void {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const done of jobs) done(error, undefined);
  }
}

function closedError(): LsmError {
  return new LsmError('LSM_CLOSED', 'the task runner is closed');
}
