/**
 * A machine for tests: a memory disk and, on it, one process at a time. A process that has died touches nothing any
 * more, whatever it still had under way.
 */
import type { EngineOptions } from '../src/options.ts';
import { Engine } from '../src/engine.ts';
import type { FileSystem } from '../src/file-system/file-system.ts';
import { type CrashOptions, MemoryFileSystem } from '../src/file-system/memory-file-system.ts';
import { nodeTimers } from '../src/node-timers.ts';
import { SeededRandom } from '../src/seeded-random.ts';
import { InlineRunner } from '../src/task-runner/inline-runner.ts';
import type { TaskRunner } from '../src/task-runner/task-runner.ts';
import type { Timers } from '../src/timers.ts';

export const DIRECTORY = '/db';

export class Machine {
  readonly disk = new MemoryFileSystem({ deferAsync: (completion) => void setImmediate(completion) });
  readonly #random: SeededRandom;
  #process = { isDead: false };
  /** Jobs of the living process that asked for more file numbers: where a codec that compresses less follows. */
  jobsShortOfOutputs = 0;

  constructor(seed = 1) {
    this.#random = new SeededRandom(seed);
  }

  get processIsDead(): boolean {
    return this.#process.isDead;
  }

  /** Opens the engine in a new process. */
  open(options: EngineOptions = {}): Promise<Engine> {
    const process = { isDead: false };
    this.#process = process;
    const fileSystem = this.#fileSystemOf(process);
    const timers = timersOf(process);
    const tasks = this.#counted(new InlineRunner({ fileSystem, timers }));
    this.jobsShortOfOutputs = 0;
    return Engine.open(
      DIRECTORY,
      { writeDelayMaxMs: 0, ...options },
      { fileSystem, timers, random: this.#random, tasks },
    );
  }

  /** Kills the process, with the power or without. */
  crash(mode: CrashOptions['mode'], seed = 1): void {
    const random = new SeededRandom(seed);
    this.#process.isDead = true;
    this.disk.onCall = undefined;
    this.disk.crash({ mode, random: () => random.uint32() / 2 ** 32 });
  }

  /** The same, in the middle of whatever makes the given call to the file system. */
  crashAtCall(calls: number, mode: CrashOptions['mode'], seed: number): void {
    let left = calls;
    const process = this.#process;
    this.disk.onCall = () => {
      if (process.isDead) return undefined;
      if (left-- > 0) return undefined;
      this.crash(mode, seed);
      return Object.assign(new Error('the process is dead'), { code: 'EIO' });
    };
  }

  #counted(runner: TaskRunner): TaskRunner {
    return {
      run: (job, done) =>
        runner.run(job, (error, result) => {
          if (error?.message.includes('needs more than its')) this.jobsShortOfOutputs++;
          done(error, result);
        }),
      close: () => runner.close(),
    };
  }

  #fileSystemOf(process: { readonly isDead: boolean }): FileSystem {
    return new Proxy(this.disk, {
      get: (disk, name) => {
        const member = disk[name as keyof MemoryFileSystem] as unknown;
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (process.isDead) throw Object.assign(new Error('the process is dead'), { code: 'EIO' });
          return member.apply(disk, args);
        };
      },
    });
  }
}

function timersOf(process: { readonly isDead: boolean }): Timers {
  const unlessDead = (callback: () => void) => () => void (process.isDead || callback());
  return {
    monotonicMs: nodeTimers.monotonicMs,
    // Time runs faster here: tests wait for what happens, not for the clock.
    setTimer: (delayMs, callback) => nodeTimers.setTimer(Math.min(delayMs, 1), unlessDead(callback)),
    clearTimer: nodeTimers.clearTimer,
    defer: (callback) => nodeTimers.defer(unlessDead(callback)),
  };
}

/** Lets the event loop turn. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
