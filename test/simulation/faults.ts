/**
 * What goes wrong in a seed. Each kind is a row of FAULTS: when its turn comes it begins, and sees itself to its end. Which kinds a
 * seed has, when and how they strike, is drawn. Every seed has a partition, and a crash that drops unsynced bytes.
 *
 * To plug in another fault, add a row.
 */
import type { Acknowledgements } from './acknowledgements.ts';
import type { Cluster, Machine } from './cluster.ts';
import type { RandomStream } from './random.ts';
import { EVENT, type ScheduledEvent, type Scheduler } from './scheduler.ts';
import { NO_FAULTS, type SimulatedNetwork } from './simulated-network.ts';
import { digestOf } from './trace-hash.ts';

export interface FaultWorld {
  readonly cluster: Cluster;
  readonly network: SimulatedNetwork;
  readonly scheduler: Scheduler;
  readonly acknowledgements: Acknowledgements;
  readonly random: RandomStream;
}

export interface FaultCounters {
  readonly byKind: Record<string, number>;
  partitions: number;
  /** Crashes that dropped unsynced bytes, and how many bytes in all. */
  droppingCrashes: number;
  droppedBytes: number;
  tornWrites: number;
  disksLost: number;
}

interface FaultKind {
  readonly name: string;
  readonly weight: number;
  /** Of a seed having it at all. */
  readonly probability: number;
  /** False: nothing here that it could strike now. */
  strike(plan: FaultPlan, world: FaultWorld): boolean;
}

const FAULTS: readonly FaultKind[] = [
  { name: 'partition', weight: 3, probability: 0.8, strike: (plan, world) => plan.partition(world) },
  { name: 'partition-one-way', weight: 3, probability: 0.7, strike: (plan, world) => plan.oneWay(world) },
  { name: 'partition-pair', weight: 1, probability: 0.5, strike: (plan, world) => plan.pair(world) },
  { name: 'crash-dropping', weight: 3, probability: 1, strike: (plan, world) => plan.crashDropping(world) },
  { name: 'crash-process', weight: 2, probability: 0.5, strike: (plan, world) => plan.crashProcess(world) },
  { name: 'stop', weight: 1, probability: 0.5, strike: (plan, world) => plan.stop(world) },
  { name: 'sync-failure', weight: 2, probability: 0.5, strike: (plan, world) => plan.syncFailure(world) },
  { name: 'disk-lost', weight: 2, probability: 0.5, strike: (plan, world) => plan.diskLost(world) },
  { name: 'amnesia', weight: 4, probability: 0.6, strike: (plan, world) => plan.amnesia(world) },
  { name: 'slow-disk', weight: 1, probability: 0.5, strike: (plan, world) => plan.slowDisk(world) },
  { name: 'slow-host', weight: 1, probability: 0.5, strike: (plan, world) => plan.slowHost(world) },
  { name: 'clock-jump', weight: 1, probability: 0.5, strike: (plan, world) => plan.clockJump(world) },
  { name: 'bad-network', weight: 3, probability: 0.8, strike: (plan, world) => plan.badNetwork(world) },
];

const MEAN_BETWEEN_MS = 1500;
/** Of disks that are lost in one seed: with W = 2, more may take the last copy of an acknowledged write. */
const DISKS_LOST_MAX = 1;

export class FaultPlan {
  readonly counters: FaultCounters = {
    byKind: {},
    partitions: 0,
    droppingCrashes: 0,
    droppedBytes: 0,
    tornWrites: 0,
    disksLost: 0,
  };
  readonly #world: FaultWorld;
  readonly #kinds: readonly FaultKind[];
  #next: ScheduledEvent | undefined;
  #stopped = false;

  constructor(world: FaultWorld) {
    this.#world = world;
    this.#kinds = FAULTS.filter(({ probability }) => world.random.chance(probability));
  }

  /** The kinds that this seed has. */
  get enabled(): readonly string[] {
    return this.#kinds.map(({ name }) => name);
  }

  /** Every seed must have seen this much. */
  get hasStruckEnough(): boolean {
    return this.counters.partitions > 0 && this.counters.droppingCrashes > 0;
  }

  start(): void {
    this.#scheduleNext();
  }

  /** No new faults; what is broken is mended and started. Clocks stay as wrong as they are. */
  heal(): void {
    const { scheduler, network, cluster } = this.#world;
    this.#stopped = true;
    if (this.#next !== undefined) scheduler.cancel(this.#next);
    network.mendAll();
    network.slowness.clear();
    Object.assign(network.faults, NO_FAULTS);
    for (const { disk } of cluster.machines) disk.slowness = 1;
    cluster.startAll();
  }

  #scheduleNext(): void {
    const { scheduler, random } = this.#world;
    const waitMs = 100 + random.exponential(MEAN_BETWEEN_MS);
    this.#next = scheduler.after(waitMs, { node: -1, kind: EVENT.fault }, () => {
      const kind = this.#draw();
      if (kind.strike(this, this.#world)) {
        this.counters.byKind[kind.name] = (this.counters.byKind[kind.name] ?? 0) + 1;
        scheduler.note({ node: -1, kind: EVENT.fault, digest: digestOf(kind.name) });
      }
      this.#scheduleNext();
    });
  }

  #draw(): FaultKind {
    const { counters } = this;
    const { random } = this.#world;
    // What a seed must have comes soon.
    if (counters.partitions === 0) return random.pick(FAULTS.filter(({ name }) => name.startsWith('partition')));
    const kinds = this.#kinds;
    let drawn = random.below(kinds.reduce((sum, { weight }) => sum + weight, 0));
    return kinds.find(({ weight }) => (drawn -= weight) < 0) as FaultKind;
  }

  #later(delayMs: number, callback: () => void): void {
    this.#world.scheduler.after(delayMs, { node: -1, kind: EVENT.fault }, callback);
  }

  #someUp({ cluster, random }: FaultWorld): Machine | undefined {
    const { up } = cluster;
    return up.length === 0 ? undefined : random.pick(up);
  }

  /** Cuts every way from one group to the other, and back if `bothWays`, for some time. */
  #cut({ network, random }: FaultWorld, from: readonly Machine[], to: readonly Machine[], bothWays: boolean): void {
    const pairs = from.flatMap((a) => to.map((b) => [a.host, b.host] as const));
    const ways = bothWays ? [...pairs, ...pairs.map(([a, b]) => [b, a] as const)] : pairs;
    for (const [a, b] of ways) network.cut(a, b);
    this.counters.partitions++;
    this.#later(random.between(500, 15_000), () => {
      for (const [a, b] of ways) network.mend(a, b);
    });
  }

  partition(world: FaultWorld): boolean {
    const machines = world.random.shuffled(world.cluster.machines);
    const size = 1 + world.random.below(Math.floor(machines.length / 2));
    this.#cut(world, machines.slice(0, size), machines.slice(size), true);
    return true;
  }

  /** One machine hears the others and is not heard, or the other way round; or only some of them. */
  oneWay(world: FaultWorld): boolean {
    const [one, ...others] = world.random.shuffled(world.cluster.machines);
    if (one === undefined || others.length === 0) return false;
    const some = world.random.chance(0.6) ? others : others.slice(0, 1 + world.random.below(others.length));
    if (world.random.chance(0.5)) this.#cut(world, [one], some, false);
    else this.#cut(world, some, [one], false);
    return true;
  }

  pair(world: FaultWorld): boolean {
    const [one, two] = world.random.shuffled(world.cluster.machines);
    if (one === undefined || two === undefined) return false;
    this.#cut(world, [one], [two], true);
    return true;
  }

  /** Power loss while a sync is under way. */
  crashDropping(world: FaultWorld): boolean {
    const machine = this.#someUp(world);
    if (machine === undefined) return false;
    const { process } = machine;
    machine.disk.duringNextSync(() => {
      if (process?.alive && !this.#stopped) this.#powerLoss(world, machine);
    });
    return true;
  }

  /**
   * A coordinator with a slow disk loses power when others have acknowledged what it has not yet synced, is back at once, and for a
   * while hears nobody who could tell it what it has forgotten; its clients stay with it.
   */
  amnesia(world: FaultWorld): boolean {
    const machine = this.#someUp(world);
    if (machine === undefined) return false;
    const { random, cluster } = world;
    const { process, disk } = machine;
    disk.slowness = random.between(1500, 4000);
    machine.isPopular = true;
    this.#later(random.between(2000, 6000), () => {
      machine.isPopular = false;
    });
    disk.duringNextSync(
      () => {
        disk.slowness = 1;
        if (!process?.alive || this.#stopped) return;
        this.#powerLoss(world, machine, random.between(20, 200));
        if (random.chance(0.6))
          this.#cut(
            world,
            [machine],
            cluster.machines.filter((other) => other !== machine),
            true,
          );
      },
      random.between(100, 600),
    );
    this.#later(3000, () => {
      disk.slowness = 1;
    });
    return true;
  }

  #powerLoss(world: FaultWorld, machine: Machine, downMs = world.random.between(100, 8000)): void {
    const { cluster, random } = world;
    const report = cluster.crash(machine, random.chance(0.5) ? 'drop-all' : 'random', random.chance(0.5));
    if (report.droppedBytes > 0) this.counters.droppingCrashes++;
    this.counters.droppedBytes += report.droppedBytes;
    this.counters.tornWrites += report.tornWrites;
    cluster.startLater(machine, downMs);
  }

  crashProcess(world: FaultWorld): boolean {
    const machine = this.#someUp(world);
    if (machine === undefined) return false;
    world.cluster.crash(machine, 'keep-all', false);
    world.cluster.startLater(machine, world.random.between(50, 6000));
    return true;
  }

  stop(world: FaultWorld): boolean {
    const machine = this.#someUp(world);
    if (machine === undefined) return false;
    world.cluster.stop(machine);
    world.cluster.startLater(machine, world.random.between(3500, 8000));
    return true;
  }

  /** A sync of the log fails, mostly at a machine that nobody can reach; then, mostly, the power goes too. */
  syncFailure(world: FaultWorld): boolean {
    const machine = this.#someUp(world);
    if (machine === undefined) return false;
    const { random, cluster } = world;
    if (random.chance(0.6))
      this.#cut(
        world,
        [machine],
        cluster.machines.filter((other) => other !== machine),
        true,
      );
    machine.disk.failNextSync(random.chance(0.5));
    if (random.chance(0.3)) return true;
    const { process } = machine;
    this.#later(random.between(20, 3000), () => {
      if (process?.alive && !this.#stopped) this.#powerLoss(world, machine);
    });
    return true;
  }

  diskLost(world: FaultWorld): boolean {
    const machine = this.#someUp(world);
    if (machine === undefined || this.counters.disksLost >= DISKS_LOST_MAX) return false;
    this.counters.disksLost++;
    world.cluster.crash(machine, 'drop-all', world.random.chance(0.5));
    world.acknowledgements.diskLost(machine.index);
    world.cluster.replaceDisk(machine);
    world.cluster.startLater(machine, world.random.between(100, 5000));
    return true;
  }

  slowDisk({ cluster, random }: FaultWorld): boolean {
    const machine = random.pick(cluster.machines);
    machine.disk.slowness = random.between(5, 200);
    this.#later(random.between(500, 8000), () => {
      machine.disk.slowness = 1;
    });
    return true;
  }

  slowHost({ cluster, network, random }: FaultWorld): boolean {
    const { host } = random.pick(cluster.machines);
    network.slowness.set(host, random.between(5, 300));
    this.#later(random.between(500, 8000), () => network.slowness.delete(host));
    return true;
  }

  clockJump({ cluster, random }: FaultWorld): boolean {
    const machine = random.pick(cluster.machines);
    const range = random.chance(0.2) ? 40_000 : 2000;
    machine.clockFault.skewMs = random.between(-range, range);
    return true;
  }

  badNetwork({ network, random }: FaultWorld): boolean {
    const heavy = random.chance(0.3) ? 4 : 1;
    Object.assign(network.faults, {
      loss: random.fraction() * 0.02 * heavy,
      duplication: random.fraction() * 0.1 * heavy,
      reordering: random.fraction() * 0.05 * heavy,
      reset: random.fraction(),
      splitting: random.fraction(),
    });
    this.#later(random.between(1000, 15_000), () => void Object.assign(network.faults, NO_FAULTS));
    return true;
  }
}
