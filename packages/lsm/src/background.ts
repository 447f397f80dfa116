/**
 * When to flush and when to compact: one job at a time, a flush before any compaction, memtables in the order in which
 * they were sealed. A result is checked before it is installed, and inputs go only when the edit is on disk.
 *
 *   poke ─► pick ─► run in the task runner ─► check ─► MANIFEST ─► install ─► poke
 *                          └── refused or failed: drop the outputs, back off, try again
 */
import { checkJobResult } from './compaction/job-check.ts';
import type { Job, JobResult } from './compaction/job.ts';
import { JobMaker } from './compaction/job-maker.ts';
import { type CompactionPlan, compactionDebtBytes, pickCompaction } from './compaction/picker.ts';
import type { EngineLog } from './engine-log.ts';
import { LsmError } from './errors.ts';
import { tableFileName } from './file-names.ts';
import type { FileRemover } from './file-remover.ts';
import type { Done, FileSystem } from './file-system/file-system.ts';
import type { Health } from './health.ts';
import type { ResolvedOptions } from './options.ts';
import type { OpenTableOf } from './read-path.ts';
import type { SnapshotList } from './snapshot.ts';
import type { TaskRunner } from './task-runner/task-runner.ts';
import type { Random, TimerHandle, Timers } from './timers.ts';
import type { Generation, Tree } from './tree.ts';
import type { VersionEdit } from './version/version-edit.ts';
import type { TableMeta } from './version/version.ts';
import type { LogQueue } from './wal/log-queue.ts';
import { writeDelayMs, type WriteStall } from './write-stall.ts';

const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MAX_MS = 30_000;
/** Failures in a row after which the engine is degraded; it still tries, and says so to who asks. */
const STRIKES = 3;

export interface BackgroundDependencies {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly timers: Timers;
  readonly random: Random;
  readonly tasks: TaskRunner;
  readonly tree: Tree;
  readonly logs: LogQueue;
  readonly health: Health;
  readonly stall: WriteStall;
  readonly snapshots: SnapshotList;
  readonly options: ResolvedOptions;
  readonly open: OpenTableOf;
  /** Forget an open table, if there is one: its file goes. */
  readonly evict: (tableNumber: number) => void;
  readonly remover: FileRemover;
  readonly log: EngineLog | undefined;
  /** Called when a sealed memtable went. */
  readonly onRoom: () => void;
}

interface BackgroundCounters {
  flushes: number;
  compactions: number;
  moves: number;
  failures: number;
  bytesRead: number;
  bytesWritten: number;
  lastThreadId: number;
}

export class Background {
  readonly #dependencies: BackgroundDependencies;
  readonly #maker: JobMaker;
  readonly #counters: BackgroundCounters = {
    flushes: 0,
    compactions: 0,
    moves: 0,
    failures: 0,
    bytesRead: 0,
    bytesWritten: 0,
    lastThreadId: 0,
  };
  #busy = false;
  #stopped = false;
  #strikes = 0;
  #retry: TimerHandle | undefined;
  #degraded: LsmError | undefined;
  #waiting: { readonly isMet: () => boolean; readonly done: Done }[] = [];

  constructor(dependencies: BackgroundDependencies) {
    this.#dependencies = dependencies;
    const { directory, options, random, tree } = dependencies;
    this.#maker = new JobMaker({ directory, options, random, newFileNumber: () => tree.versions.newFileNumber() });
  }

  get counters(): Readonly<BackgroundCounters> {
    return this.#counters;
  }

  /** LSM_COMPACTION while background jobs keep failing. */
  get degraded(): LsmError | undefined {
    return this.#degraded;
  }

  /** Looks for work. Called whenever there may be some. */
  poke(): void {
    this.#updateStall();
    if (this.#busy || this.#stopped || this.#retry !== undefined) return;
    if (this.#dependencies.health.refusal === undefined) this.#startNext();
    this.#answerWaiting();
  }

  /** Calls `done` when all memtables that are sealed now are in tables. */
  whenFlushed(done: Done): void {
    const { tree } = this.#dependencies;
    const newest = tree.sealed[0];
    this.#wait(() => newest === undefined || !tree.sealed.includes(newest), done);
  }

  /** Calls `done` when there is nothing left to flush or compact. */
  whenSettled(done: Done): void {
    this.#wait(() => !this.#busy && this.#retry === undefined && this.#pick() === undefined, done);
  }

  /** Starts nothing more; `done` when the running job has ended and its result is installed or thrown away. */
  stop(done: Done): void {
    this.#stopped = true;
    if (this.#retry !== undefined) this.#dependencies.timers.clearTimer(this.#retry);
    this.#retry = undefined;
    this.#wait(() => !this.#busy, done);
  }

  #wait(isMet: () => boolean, done: Done): void {
    this.#waiting.push({ isMet, done });
    this.poke();
    this.#answerWaiting();
  }

  #answerWaiting(): void {
    const error = this.#dependencies.health.failure ?? this.#degraded;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (waiter.isMet()) waiter.done();
      else if (error !== undefined && !this.#busy) waiter.done(error);
      else if (this.#stopped && !this.#busy) waiter.done(new LsmError('LSM_CLOSED', 'the engine is closed'));
      else this.#waiting.push(waiter);
    }
  }

  #startNext(): void {
    const next = this.#pick();
    if (next === undefined) return;
    this.#busy = true;
    if ('memtable' in next) this.#flush(next);
    else if (next.isMove) this.#move(next);
    else this.#compact(next);
  }

  #pick(): Generation | CompactionPlan | undefined {
    const { tree, options } = this.#dependencies;
    const { version, pointers } = tree.versions.state;
    return tree.sealed.at(-1) ?? pickCompaction(version, pointers, options);
  }

  #flush(generation: Generation): void {
    const { tree, logs, snapshots } = this.#dependencies;
    const job = this.#maker.flush(generation.memtable, snapshots.sequences());
    this.#run(job, generation.memtable.entries, (tables) => {
      const edit: VersionEdit = {
        added: tables.map((table) => ({ level: 0, table })),
        lastSequence: Math.max(...tables.map((table) => table.largestSequence)),
        logs: logs.liveLogs(tree.logNumberAfterOldest),
      };
      this.#install(edit, () => {
        this.#counters.flushes++;
        tree.dropOldest();
        logs.removeBelow(tree.sealed.at(-1)?.logNumber ?? tree.activeLogNumber);
        this.#dependencies.onRoom();
      });
    });
  }

  #compact(plan: CompactionPlan): void {
    const { tree, snapshots } = this.#dependencies;
    const version = tree.versions.current;
    // The inputs stay, whatever is installed meanwhile, until the worker has done with them.
    tree.versions.retain(version);
    const inputs = plan.runs.flat();
    const entries = inputs.reduce((sum, table) => sum + table.entries, 0);
    const job = this.#maker.compact(plan, snapshots.sequences(), 2 ** this.#strikes);
    this.#run(
      job,
      entries,
      (tables) => this.#install(compactionEdit(plan, tables), () => this.#counters.compactions++),
      () => tree.versions.release(version),
    );
  }

  #move(plan: CompactionPlan): void {
    this.#install(compactionEdit(plan, plan.upper), () => this.#counters.moves++);
  }

  #run(job: Job, entriesExpected: number, install: (tables: TableMeta[]) => void, after: () => void = () => {}): void {
    this.#dependencies.tasks.run(job, (error, result) => {
      let tables: TableMeta[];
      try {
        if (result === undefined) throw error ?? new Error('the task runner gave neither result nor error');
        const { fileSystem, open } = this.#dependencies;
        tables = checkJobResult(job, result, { fileSystem, open, entriesExpected });
      } catch (problem) {
        after();
        this.#giveUp(job, problem);
        return;
      }
      after();
      this.#count(result as JobResult);
      install(tables);
    });
  }

  #count(result: JobResult): void {
    this.#counters.bytesRead += result.bytesRead;
    this.#counters.bytesWritten += result.bytesWritten;
    this.#counters.lastThreadId = result.threadId;
  }

  #install(edit: VersionEdit, installed: () => void): void {
    this.#dependencies.tree.versions.apply(edit, (error) => {
      this.#busy = false;
      if (error !== undefined && error !== null) {
        this.#dependencies.health.fail(error, 'the MANIFEST could not be written');
      } else {
        this.#strikes = 0;
        this.#degraded = undefined;
        installed();
      }
      this.poke();
      this.#answerWaiting();
    });
  }

  #giveUp(job: Job, problem: unknown): void {
    for (const { fileNumber } of job.outputs) {
      this.#dependencies.remover.remove(tableFileName(fileNumber), () => this.#dependencies.evict(fileNumber));
    }
    this.#busy = false;
    this.#counters.failures++;
    this.#strikes++;
    if (this.#strikes >= STRIKES) this.#degrade(problem);
    if (!this.#stopped) this.#scheduleRetry();
    this.#answerWaiting();
  }

  /** Told once, not with each retry: the first job that succeeds ends it. */
  #degrade(cause: unknown): void {
    const message = `background work failed ${this.#strikes} times in a row`;
    const isNew = this.#degraded === undefined;
    this.#degraded = new LsmError('LSM_COMPACTION', message, { cause });
    if (!isNew) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#dependencies.log?.(`${this.#dependencies.directory} is degraded: ${message}: ${why}`, 'error', cause);
  }

  #scheduleRetry(): void {
    const delayMs = Math.min(RETRY_DELAY_MAX_MS, RETRY_DELAY_MS * 2 ** (this.#strikes - 1));
    this.#retry = this.#dependencies.timers.setTimer(delayMs, () => {
      this.#retry = undefined;
      this.poke();
    });
  }

  #updateStall(): void {
    const { tree, stall, options } = this.#dependencies;
    const version = tree.versions.current;
    const pressure = {
      level0Tables: version.level(0).length,
      sealedMemtables: tree.sealed.length,
      debtBytes: compactionDebtBytes(version, options),
    };
    stall.setDelay(this.#stopped ? 0 : writeDelayMs(options, pressure));
  }
}

function compactionEdit(plan: CompactionPlan, tables: readonly TableMeta[]): VersionEdit {
  const last = plan.upper.at(-1) as TableMeta;
  return {
    added: tables.map((table) => ({ level: plan.outputLevel, table })),
    removed: [
      ...plan.upper.map(({ number }) => ({ level: plan.level, number })),
      ...plan.lower.map(({ number }) => ({ level: plan.outputLevel, number })),
    ],
    pointers: plan.level === 0 ? [] : [{ level: plan.level, key: last.largest }],
  };
}
