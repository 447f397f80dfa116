/**
 * The disk of one machine: the engine's own memory disk, whose syncs take virtual time, and which fails, slows down and loses
 * power as the fault plan says. A disk outlives the processes that use it; each process sees it through a door of its own, which
 * shuts when the process dies.
 */
import type { FileSystem } from '@kvd/lsm';
import { type CrashReport, MemoryFileSystem } from '@kvd/lsm/testing';
import type { FileCall } from '../../packages/lsm/src/file-system/memory-file.ts';
import type { RandomStream } from './random.ts';
import { EVENT, type Scheduler } from './scheduler.ts';
import { digestOf } from './trace-hash.ts';

export type CrashMode = 'keep-all' | 'drop-all' | 'random';

export class SimulatedDisk {
  readonly node: number;
  /** So many times slower than it should be. */
  slowness = 1;
  /** Syncs that failed so far. */
  failedSyncs = 0;
  readonly #scheduler: Scheduler;
  readonly #random: RandomStream;
  #memory: MemoryFileSystem;
  #onSync: ((call: FileCall) => void) | undefined;

  constructor(node: number, scheduler: Scheduler, random: RandomStream) {
    this.node = node;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#memory = this.#format();
  }

  /** The files as a process sees them, as long as it lives. */
  fileSystemOf(process: { readonly alive: boolean }): FileSystem {
    return new Proxy(this.#memory, {
      get: (memory, name) => {
        const member = memory[name as keyof MemoryFileSystem] as unknown;
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (!process.alive) throw Object.assign(new Error('the process is dead'), { code: 'EIO' });
          return member.apply(memory, args);
        };
      },
    });
  }

  /** Power loss, or (`keep-all`) only the end of the process. */
  crash(mode: CrashMode): CrashReport {
    this.#onSync = undefined;
    return this.#memory.crash({ mode, random: () => this.#random.fraction() });
  }

  /** The next disk in the machine: an empty one. */
  replace(): void {
    this.#onSync = undefined;
    this.#memory = this.#format();
  }

  /** The next sync of a log fails; what it was to write is gone at once, or when the power goes. */
  failNextSync(dropPages: boolean): void {
    this.#memory.failNextSync('.log', { dropPages });
    this.failedSyncs++;
  }

  /** Calls back `delayMs` after the next sync of a log has begun: there are unsynced bytes, as long as it takes. */
  duringNextSync(callback: () => void, delayMs = 0.01): void {
    this.#onSync = (call) => {
      if (!call.path.endsWith('.log')) return;
      this.#onSync = undefined;
      this.#scheduler.after(delayMs, { node: this.node, kind: EVENT.fault }, callback);
    };
  }

  #format(): MemoryFileSystem {
    return new MemoryFileSystem({
      deferAsync: (completion, call) => {
        if (call.operation === 'sync') this.#onSync?.(call);
        const label = { node: this.node, kind: EVENT.diskDone, digest: digestOf(call.path) };
        this.#scheduler.after(this.#latencyMs(call), label, completion);
      },
    });
  }

  #latencyMs(call: FileCall): number {
    const meanMs = call.operation === 'sync' ? 0.4 : 0.05;
    const stallMs = this.#random.chance(0.001) ? this.#random.between(10, 200) : 0;
    return (0.05 + this.#random.exponential(meanMs)) * this.slowness + stallMs;
  }
}
