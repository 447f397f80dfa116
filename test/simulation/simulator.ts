/**
 * One seed, from boot to the last check: boot, calm, chaos, heal, quiesce, verify, restart of every node from its disk, verify
 * again. Real time does not matter for anything.
 */
import { Acknowledgements } from './acknowledgements.ts';
import { checkFinal, unrest } from './checkers.ts';
import { Cluster } from './cluster.ts';
import { type FaultCounters, FaultPlan } from './faults.ts';
import { allowGlobals, forbidGlobals } from './forbidden-globals.ts';
import { History } from './history.ts';
import { InvariantViolation } from './invariant.ts';
import { type RandomStream, SeedRandom } from './random.ts';
import { EVENT, Scheduler } from './scheduler.ts';
import { type NetworkCounters, SimulatedNetwork } from './simulated-network.ts';
import { installTap, StoreTap } from './store-tap.ts';
import { Workload } from './workload.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** @default 5 */
  readonly nodes?: number;
  /** Least number of commands. @default 320 */
  readonly operations?: number;
}

export interface SimulationReport {
  readonly seed: number;
  readonly traceHash: string;
  readonly events: number;
  readonly simulatedMs: number;
  readonly commands: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
  readonly writes: Readonly<Record<string, number>>;
  readonly faults: FaultCounters;
  readonly network: NetworkCounters;
  readonly starts: number;
  readonly failedStarts: number;
  readonly engineFailures: number;
  readonly probes: Readonly<Record<string, number>>;
  readonly violation: Violation | undefined;
}

export interface Violation {
  readonly invariant: string;
  readonly message: string;
  readonly key: string | undefined;
  /** Of that key. */
  readonly history: string;
  /** The last lines of the nodes' logs. */
  readonly logs: string;
  readonly stack: string | undefined;
}

const CALM_OPERATIONS = 40;
const BOOT_LIMIT_MS = 30_000;
const CHAOS_LIMIT_MS = 600_000;
/** I11: the bound of convergence after the faults have ended. */
const QUIESCE_LIMIT_MS = 600_000;
const LOOK_EVERY_MS = 1000;
const LIVENESS_LIMIT_MS = 60_000;

/** Runs a seed. Resolves also when an invariant is broken: see `violation`. */
export function simulate(options: SimulationOptions): Promise<SimulationReport> {
  return new Simulation(options).run();
}

class Simulation {
  readonly #seed: number;
  readonly #scheduler: Scheduler;
  readonly #network: SimulatedNetwork;
  readonly #history = new History();
  readonly #tap: StoreTap;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #acknowledgements: Acknowledgements;
  readonly #faults: FaultPlan;
  readonly #random: RandomStream;

  constructor({ seed, nodes = 5, operations = 320 }: SimulationOptions) {
    const random = new SeedRandom(seed);
    const scheduler = new Scheduler({ random: random.stream('ties'), enter: forbidGlobals, leave: allowGlobals });
    const network = new SimulatedNetwork(scheduler, random.stream('network'));
    const draws = random.stream('settings');
    const settings = {
      nodes,
      replicas: Math.min(3, nodes),
      antiEntropyIntervalMs: draws.pick([3000, 6000, 15_000]),
      timeoutMs: draws.pick([1000, 2000, 5000]),
      memtableSizeBytes: draws.pick([8 * 1024, 64 * 1024, 1024 * 1024]),
    };
    this.#seed = seed;
    this.#random = draws;
    this.#scheduler = scheduler;
    this.#network = network;
    this.#tap = new StoreTap(this.#history, nodes);
    this.#cluster = new Cluster({ scheduler, network, tap: this.#tap, random, settings });
    this.#acknowledgements = new Acknowledgements(this.#history, this.#tap, scheduler);
    const shared = {
      cluster: this.#cluster,
      network,
      scheduler,
      history: this.#history,
      acknowledgements: this.#acknowledgements,
    };
    this.#faults = new FaultPlan({ ...shared, random: random.stream('faults') });
    this.#workload = new Workload({
      ...shared,
      random: random.stream('workload'),
      clients: draws.pick([4, 8, 12]),
      operations: operations + draws.below(100),
      thinkMs: 500,
      sharedKeys: draws.pick([3, 5, 8, 24]),
    });
  }

  async run(): Promise<SimulationReport> {
    const uninstall = installTap(this.#tap);
    let violation: Violation | undefined;
    try {
      await this.#phases();
    } catch (error) {
      violation = this.#describe(error as Error);
    } finally {
      uninstall();
    }
    return this.#report(violation);
  }

  async #phases(): Promise<void> {
    await this.#boot();
    this.#workload.start();
    await this.#until('calm', () => this.#workload.issued >= CALM_OPERATIONS, CHAOS_LIMIT_MS);
    this.#faults.start();
    const chaosIsOver = (): boolean => this.#workload.isDone && this.#faults.hasStruckEnough;
    await this.#until('chaos', chaosIsOver, CHAOS_LIMIT_MS);
    this.#workload.stop();
    this.#faults.heal();
    await this.#until('last replies', () => this.#workload.isQuiet, LIVENESS_LIMIT_MS);
    await this.#quiesce('after the faults');
    checkFinal(this.#cluster, this.#history);
    await this.#restartAll();
    await this.#quiesce('after the restart of all');
    checkFinal(this.#cluster, this.#history);
    await this.#readAll();
  }

  async #boot(): Promise<void> {
    this.#cluster.startAll();
    await this.#until('boot', () => this.#cluster.up.length === this.#cluster.machines.length, BOOT_LIMIT_MS);
  }

  async #quiesce(when: string): Promise<void> {
    const limitMs = this.#scheduler.nowMs + QUIESCE_LIMIT_MS;
    let reason: string | undefined = 'not looked yet';
    let lookAtMs = this.#scheduler.nowMs + LOOK_EVERY_MS;
    const atRest = (): boolean => {
      if (this.#scheduler.nowMs < lookAtMs) return false;
      lookAtMs = this.#scheduler.nowMs + LOOK_EVERY_MS;
      reason = unrest(this.#cluster, this.#history);
      return reason === undefined || this.#scheduler.nowMs > limitMs;
    };
    await this.#until(`quiesce ${when}`, atRest, QUIESCE_LIMIT_MS * 2);
    if (reason === undefined) return;
    throw new InvariantViolation(
      'I11 convergence',
      `${when}, not at rest in ${QUIESCE_LIMIT_MS / 60_000} minutes: ${reason}`,
    );
  }

  /** The power goes everywhere at the same moment, or every process is killed; whatever was not synced may be gone. */
  async #restartAll(): Promise<void> {
    for (const machine of this.#cluster.machines) {
      this.#cluster.crash(machine, this.#random.pick(['drop-all', 'random', 'keep-all'] as const), false);
    }
    await this.#boot();
  }

  /** I19: every key can be read through every node. What is read is checked on the way. */
  async #readAll(): Promise<void> {
    let waiting = 0;
    let failures = '';
    const keys = this.#history.keys.filter(() => this.#random.chance(0.2));
    for (const machine of this.#cluster.machines) {
      for (const key of keys.slice(0, 12)) {
        waiting++;
        this.#scheduler.after(0, { node: machine.index, kind: EVENT.client }, () => {
          this.#workload.readAt(machine, key, (reply) => {
            waiting--;
            if (typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'error')
              failures = reply.text;
          });
        });
      }
    }
    await this.#until('reads at the end', () => waiting === 0, LIVENESS_LIMIT_MS);
    if (failures !== '')
      throw new InvariantViolation('I19 liveness', `a read of a healthy cluster failed: ${failures}`);
  }

  /** A violation that a node has swallowed ends the run all the same. */
  async #until(phase: string, condition: () => boolean, limitMs: number): Promise<void> {
    const reached = await this.#scheduler.run(() => this.#tap.violation !== undefined || condition(), limitMs);
    if (this.#tap.violation !== undefined) throw this.#tap.violation;
    if (reached) return;
    const states = this.#cluster.machines.map(({ id, state }) => `${id} ${state}`).join(', ');
    throw new InvariantViolation(
      'I19 liveness',
      `${phase}: not reached in ${limitMs / 1000} s of virtual time; ${states}`,
    );
  }

  #describe(error: Error): Violation {
    const known = error instanceof InvariantViolation ? error : undefined;
    const logs = this.#cluster.machines.flatMap(({ id, runtime }) =>
      (runtime?.logged.slice(-8) ?? []).map((line) => `  ${id} ${line}`),
    );
    return {
      invariant: known?.invariant ?? 'a node threw',
      message: error.message,
      key: known?.key,
      history: known?.key === undefined ? '' : this.#history.describe(known.key),
      logs: logs.join('\n'),
      stack: known === undefined ? error.stack : undefined,
    };
  }

  #report(violation: Violation | undefined): SimulationReport {
    const { counters } = this.#acknowledgements;
    return {
      seed: this.#seed,
      traceHash: this.#scheduler.trace.toString(),
      events: this.#scheduler.trace.count,
      simulatedMs: this.#scheduler.nowMs,
      commands: this.#workload.counters.commands,
      kinds: this.#workload.counters.kinds,
      writes: counters,
      faults: this.#faults.counters,
      network: this.#network.counters,
      ...this.#cluster.counters,
      probes: Object.fromEntries([...this.#cluster.probes].sort()),
      violation,
    };
  }
}
