/**
 * All that one process of a node knows of the world, in virtual time. When the process dies nothing of it runs any more: timers,
 * completions and sockets fall silent, and the disk's door is shut.
 */
import type { FileSystem, Job, JobResult, TaskRunner } from '@kvd/lsm';
import { InlineRunner } from '@kvd/lsm/testing';
import { nodeMac } from '../../packages/node/src/runtime/node-mac.ts';
import type {
  Clock,
  LogLevel,
  Random,
  Runtime,
  Secrets,
  TimerHandle,
  Timers,
} from '../../packages/node/src/runtime.ts';
import type { RandomStream } from './random.ts';
import { EVENT, type ScheduledEvent, type Scheduler } from './scheduler.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { HostProcess, SimulatedNetwork } from './simulated-network.ts';

/** Milliseconds since 1970 at which every simulation begins. */
const BEGINNING_MS = 1_760_000_000_000;
const LOG_LINES_KEPT = 60;

/** A machine's clock: monotonic time with a rate, wall time with an offset that may jump. */
export interface ClockFault {
  /** Wall minus true time. */
  skewMs: number;
}

export interface SimulatedRuntimeOptions {
  readonly process: HostProcess;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly clockFault: ClockFault;
  readonly random: RandomStream;
  readonly secrets: RandomStream;
  /** Draws how long a job takes. */
  readonly tasks: RandomStream;
  readonly probes: Map<string, number>;
}

export class SimulatedRuntime implements Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly secrets: Secrets;
  readonly mac: Runtime['mac'];
  readonly network: Runtime['network'];
  readonly fileSystem: FileSystem;
  readonly tasks: TaskRunner;
  /** The last lines of the log, oldest first. */
  readonly logged: string[] = [];
  readonly #options: SimulatedRuntimeOptions;

  constructor(options: SimulatedRuntimeOptions) {
    const { process, scheduler, clockFault, random, secrets } = options;
    this.#options = options;
    this.clock = {
      monotonicMs: () => scheduler.nowMs,
      wallMs: () => BEGINNING_MS + Math.floor(scheduler.nowMs + clockFault.skewMs),
    };
    this.timers = {
      set: (delayMs, callback) => this.#after(delayMs, EVENT.timer, callback),
      clear: (handle: TimerHandle) => scheduler.cancel(handle as ScheduledEvent),
      defer: (callback) => void this.#after(0, EVENT.defer, callback),
    };
    this.random = random;
    this.mac = nodeMac;
    this.secrets = { fill: (bytes) => fillFrom(secrets, bytes) };
    this.network = options.network.networkOf(process);
    this.fileSystem = options.disk.fileSystemOf(process);
    this.tasks = this.#taskRunner();
  }

  log = (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (level === 'debug') return;
    const told = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
    this.logged.push(`${this.#options.scheduler.nowMs.toFixed(3)} ${level} ${event} ${told.join(' ')}`);
    if (this.logged.length > LOG_LINES_KEPT) this.logged.shift();
  };

  probe = (name: string): void => {
    const { probes } = this.#options;
    probes.set(name, (probes.get(name) ?? 0) + 1);
  };

  #after(
    delayMs: number,
    kind: typeof EVENT.timer | typeof EVENT.defer | typeof EVENT.task,
    callback: () => void,
  ): ScheduledEvent {
    const { process, scheduler } = this.#options;
    return scheduler.after(delayMs, { node: process.node, kind }, () => {
      if (process.alive) callback();
    });
  }

  /** Jobs run in one piece, after the time that they are drawn to take. */
  #taskRunner(): TaskRunner {
    const { tasks } = this.#options;
    const inner = new InlineRunner({
      fileSystem: this.fileSystem,
      timers: { defer: (callback) => void this.#after(tasks.exponential(5), EVENT.task, callback) },
    });
    return {
      run: (job: Job, done: (error: Error | undefined, result: JobResult | undefined) => void) => inner.run(job, done),
      close: () => inner.close(),
    };
  }
}

function fillFrom(stream: RandomStream, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = stream.uint32() & 0xff;
}
