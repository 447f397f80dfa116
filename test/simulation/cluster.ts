/**
 * N real nodes, each on a machine of its own: a disk and a clock that outlive the node's processes. A process is started, stopped,
 * and dies; a node whose engine has failed is ended and started again, as a supervisor would.
 */
import type { Engine } from '@kvd/lsm';
import type { CrashReport } from '@kvd/lsm/testing';
import { KvdNode, type NodeConfig } from '@kvd/node';
import { InvariantViolation } from './invariant.ts';
import type { SeedRandom } from './random.ts';
import { EVENT, type Scheduler } from './scheduler.ts';
import { type CrashMode, SimulatedDisk } from './simulated-disk.ts';
import { HostProcess, type SimulatedNetwork } from './simulated-network.ts';
import { type ClockFault, SimulatedRuntime } from './simulated-runtime.ts';
import type { StoreTap } from './store-tap.ts';

export interface ClusterSettings {
  readonly nodes: number;
  readonly replicas: number;
  readonly antiEntropyIntervalMs: number;
  readonly timeoutMs: number;
  readonly memtableSizeBytes: number;
}

export interface ClusterDependencies {
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly tap: StoreTap;
  readonly random: SeedRandom;
  readonly settings: ClusterSettings;
}

export interface ClusterCounters {
  starts: number;
  failedStarts: number;
  /** Processes ended since their engine had failed. */
  engineFailures: number;
}

/** A failed engine is left up for a moment, as a real process drains. */
const DRAIN_MS = 300;
const RETRY_START_MS = 1000;
/** Errors at a start that no fault of the plan explains: the directory itself is wrong. */
const DAMAGE = [
  'LSM_CORRUPTION',
  'LSM_INCOMPATIBLE_FORMAT',
  'LSM_OPTIONS',
  'NODE_BAD_STATE',
  'NODE_WRONG_DIRECTORY',
  'NODE_BAD_CONFIG',
];

export class Machine {
  readonly index: number;
  readonly id: string;
  readonly host: string;
  readonly disk: SimulatedDisk;
  readonly clockFault: ClockFault = { skewMs: 0 };
  state: 'down' | 'starting' | 'up' | 'stopping' = 'down';
  process: HostProcess | undefined;
  runtime: SimulatedRuntime | undefined;
  node: KvdNode | undefined;
  engine: Engine | undefined;
  /** Lives so far. */
  starts = 0;
  /** Clients come here rather than elsewhere. */
  isPopular = false;

  constructor(index: number, disk: SimulatedDisk) {
    this.index = index;
    this.id = `n${index}`;
    this.host = `10.0.0.${index + 1}`;
    this.disk = disk;
  }

  get isUp(): boolean {
    return this.state === 'up';
  }
}

export class Cluster {
  readonly machines: readonly Machine[];
  readonly counters: ClusterCounters = { starts: 0, failedStarts: 0, engineFailures: 0 };
  readonly probes = new Map<string, number>();
  readonly settings: ClusterSettings;
  readonly #deps: ClusterDependencies;
  readonly #members: string;
  /** Called when a process has died, whatever of. */
  onDeath: (machine: Machine) => void = () => {};

  constructor(dependencies: ClusterDependencies) {
    this.#deps = dependencies;
    this.settings = dependencies.settings;
    const { scheduler, random, settings } = dependencies;
    this.machines = Array.from({ length: settings.nodes }, (_, i) => {
      return new Machine(i, new SimulatedDisk(i, scheduler, random.stream(`disk ${i}`)));
    });
    this.#members = this.machines.map(({ id, host }) => `${id}=${host}:7379`).join(',');
  }

  get up(): readonly Machine[] {
    return this.machines.filter((machine) => machine.isUp);
  }

  get down(): readonly Machine[] {
    return this.machines.filter((machine) => machine.state === 'down');
  }

  start(machine: Machine): void {
    if (machine.state !== 'down') return;
    const { network, tap } = this.#deps;
    const process = new HostProcess(machine.host, machine.index);
    network.powerOn(machine.host);
    machine.process = process;
    machine.state = 'starting';
    machine.starts++;
    this.counters.starts++;
    const runtime = this.#runtime(machine, process);
    machine.runtime = runtime;
    tap.expect(runtime.fileSystem, machine.index, (engine) => {
      machine.engine = engine;
    });
    const node = new KvdNode(this.#config(machine), runtime);
    machine.node = node;
    node.start().then(
      () => this.#started(machine, process),
      (error: Error) => this.#startFailed(machine, process, error),
    );
    void node.failed.then(() => this.#engineFailed(machine, process));
  }

  startAll(): void {
    for (const machine of this.down) this.start(machine);
  }

  /** The process dies. `keep-all`: it alone; else the power fails, `silently` for those who are connected. */
  crash(machine: Machine, mode: CrashMode, silently: boolean): CrashReport {
    this.#end(machine, silently);
    this.#deps.tap.crashed(machine.index);
    return machine.disk.crash(mode);
  }

  /** Stops the node as an operator would; the machine is down once it has ended. */
  stop(machine: Machine): void {
    const { node, process } = machine;
    if (machine.state !== 'up' || node === undefined) return;
    machine.state = 'stopping';
    const ended = (): void => {
      if (process?.alive) this.crash(machine, 'keep-all', false);
    };
    node.stop().then(ended, ended);
  }

  /** The machine gets an empty disk; only while it is down. */
  replaceDisk(machine: Machine): void {
    if (machine.state !== 'down') throw new Error(`${machine.id} is ${machine.state}`);
    machine.disk.replace();
    this.#deps.tap.diskLost(machine.index);
  }

  startLater(machine: Machine, delayMs: number): void {
    this.#deps.scheduler.after(delayMs, { node: machine.index, kind: EVENT.fault }, () => this.start(machine));
  }

  #runtime(machine: Machine, process: HostProcess): SimulatedRuntime {
    const { scheduler, network, random } = this.#deps;
    const stream = (purpose: string) => random.stream(`${purpose} ${machine.index} life ${machine.starts}`);
    return new SimulatedRuntime({
      process,
      scheduler,
      network,
      disk: machine.disk,
      clockFault: machine.clockFault,
      random: stream('node'),
      secrets: stream('secrets'),
      tasks: stream('tasks'),
      probes: this.probes,
    });
  }

  #config(machine: Machine): NodeConfig {
    const { replicas, antiEntropyIntervalMs, timeoutMs, memtableSizeBytes } = this.settings;
    return {
      id: machine.id,
      host: machine.host,
      unsafeNoAuth: true,
      dataDirectory: '/data',
      initialMembers: this.#members,
      antiEntropyIntervalMs,
      consistency: { n: replicas, timeoutMs },
      engine: { memtableSizeBytes, blockCacheSizeBytes: 256 * 1024 },
    };
  }

  #started(machine: Machine, process: HostProcess): void {
    if (process.alive && machine.state === 'starting') machine.state = 'up';
  }

  #startFailed(machine: Machine, process: HostProcess, error: Error & { readonly code?: string }): void {
    if (!process.alive) return;
    if (error.code === undefined || DAMAGE.includes(error.code)) {
      const where = error.stack ?? error.message;
      // Thrown within a promise it would be nobody's: the tap gives it to the simulator.
      this.#deps.tap.violation ??= new InvariantViolation(
        'P durable prefix',
        `${machine.id} cannot start from its own disk: ${where}`,
      );
      return;
    }
    this.counters.failedStarts++;
    this.crash(machine, 'keep-all', false);
    this.startLater(machine, RETRY_START_MS);
  }

  #engineFailed(machine: Machine, process: HostProcess): void {
    if (!process.alive) return;
    this.counters.engineFailures++;
    this.#deps.scheduler.after(DRAIN_MS, { node: machine.index, kind: EVENT.fault }, () => {
      if (!process.alive) return;
      this.crash(machine, 'keep-all', false);
      this.startLater(machine, RETRY_START_MS);
    });
  }

  #end(machine: Machine, silently: boolean): void {
    if (machine.process !== undefined) this.#deps.network.kill(machine.process, silently);
    machine.state = 'down';
    machine.node = undefined;
    machine.engine = undefined;
    this.onDeath(machine);
  }
}
