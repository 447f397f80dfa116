/**
 * One node: builds the parts, starts and stops them in order. All that it does is done by the parts.
 *
 *   engine ─► local state (identity, ring, incarnation) ─► replica ─► transport ─► driver ─► RESP server
 */
import { Engine } from '@kvd/lsm';
import { type Consistency, type HybridClock, hashOfCluster, leafBytes, murmur3 } from '@kvd/replication';
import { parseInitialMembers, Ring } from '@kvd/ring';
import type { Phase } from './admin/http.ts';
import type { MetricSources } from './admin/metrics.ts';
import { type NodeConfig, resolveConfig } from './config.ts';
import { Driver } from './driver.ts';
import { Entry } from './entry.ts';
import { NodeError } from './errors.ts';
import type { NodeParts } from './node-parts.ts';
import { DotIssuer } from './replica/dot-issuer.ts';
import { HintStore } from './replica/hint-store.ts';
import { LeafTable } from './replica/leaf-table.ts';
import { LocalReplicaStore } from './replica/local-replica-store.ts';
import {
  type FirstStart,
  type LocalState,
  openLocalState,
  outgrow,
  type StartOfNode,
  settleDoubt,
} from './replica/local-state.ts';
import { Replica } from './replica/replica.ts';
import { sharedSlots } from './replica/shared-slots.ts';
import { SlotCoverage } from './replica/slot-coverage.ts';
import type { Runtime } from './runtime.ts';
import { RespServer } from './server.ts';
import type { NodeServices, NodeStats } from './services.ts';
import { nodeStats } from './stats.ts';
import { refuseOtherConfigThanStored, refuseOtherPlaceThanGiven } from './stored-ring.ts';
import { Transport } from './transport/transport.ts';

/** Hint ids of one incarnation begin here times the incarnation. */
const HINT_IDS_PER_INCARNATION = 2 ** 32;

export class KvdNode {
  readonly config: Required<NodeConfig>;
  /** Resolves when the engine can take no more writes: the process should end after a short drain, non-zero. */
  readonly failed: Promise<Error>;
  readonly #runtime: Runtime;
  #fail: (error: Error) => void = () => {};
  #failure: Error | undefined;
  #isOutgrown = false;
  #engine: Engine | undefined;
  #driver: Driver | undefined;
  #transport: Transport | undefined;
  #server: RespServer | undefined;
  #services: NodeServices | undefined;
  #startedMs = 0;
  #phase: Phase = 'starting';

  /** Throws NodeError NODE_BAD_CONFIG. */
  constructor(config: NodeConfig, runtime: Runtime) {
    this.config = resolveConfig(config);
    this.#runtime = runtime;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Ready from the moment that clients are served until it is told to stop. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Why the engine takes no more writes, if it does not. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** What metrics are made of; `undefined` while there is nothing to tell yet, or no more. */
  metricSources(): MetricSources | undefined {
    const services = this.#services;
    const server = this.#server;
    if (services === undefined || server === undefined || this.#phase === 'stopped') return undefined;
    const others = services.ring().members.filter(({ id }) => id !== this.config.id);
    return {
      stats: () => services.stats(),
      clients: server.clients,
      peers: () => others.map(({ id }) => ({ id, reachable: services.reachable(id) })),
    };
  }

  /** What commands are run against; after `start`. */
  get services(): NodeServices {
    if (this.#services === undefined) throw new NodeError('NODE_NOT_STARTED', 'the node has not been started');
    return this.#services;
  }

  /**
   * Opens the data, joins the cluster, serves clients. Rejects with NodeError (NODE_PORT_IN_USE, NODE_WRONG_DIRECTORY,
   * NODE_BAD_CONFIG) or LsmError (LSM_LOCKED, LSM_INCOMPATIBLE_FORMAT, LSM_CORRUPTION, …), with everything closed again.
   */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      // Why it did not start matters more than what else went wrong then.
      await this.stop().catch((also: Error) => this.#runtime.log('warn', 'stop-failed', { error: also.message }));
      throw error;
    }
  }

  /** Takes no more requests, ends those in flight, closes the data. */
  async stop(): Promise<void> {
    this.#phase = 'stopping';
    await this.#server?.stop();
    this.#driver?.stop();
    await new Promise<void>((resolve) => {
      if (this.#transport === undefined) resolve();
      else this.#transport.stop(resolve);
    });
    await this.#engine?.close();
    this.#phase = 'stopped';
  }

  async #open(): Promise<void> {
    this.#startedMs = this.#runtime.clock.monotonicMs();
    const ring = this.#firstRing();
    const engine = await this.#openEngine();
    const state = await openLocalState(engine, this.config.id, this.#startOf(ring), engine.recovery.tailDoubt);
    const parts = this.#build(engine, state);
    const driver = new Driver(parts);
    this.#driver = driver;
    this.#services = new Entry(parts, driver, () => this.#stats(parts, driver));
    engine.onFailure((error) => this.#engineFailed(error));
    await promised((done) => parts.transport.start(done));
    driver.tick();
    this.#server = new RespServer(this.#services);
    await this.#server.start();
    this.#phase = 'ready';
  }

  #firstRing(): Ring {
    const members = parseInitialMembers(this.config.initialMembers);
    if (!members.some((member) => member.id === this.config.id)) {
      const names = members.map((member) => member.id).join(', ');
      throw new NodeError('NODE_BAD_CONFIG', `--id '${this.config.id}' is not among --initial-members (${names})`);
    }
    return Ring.initial(members, { replicas: (this.config.consistency as Consistency).n });
  }

  #startOf(given: Ring): StartOfNode {
    return {
      first: () => {
        refuseOtherPlaceThanGiven(given, this.config);
        return this.#firstStart(given);
      },
      check: (stored) => refuseOtherConfigThanStored(stored, this.config, given.members),
    };
  }

  /** The cluster's id comes from its first ring: nodes that were started with other members do not join each other. */
  #firstStart(ring: Ring): FirstStart {
    const encoded = ring.encode();
    const clusterId = leafBytes(murmur3(encoded, encoded.length, 0));
    return { identity: { nodeId: this.config.id, clusterId, generation: 1 }, ring };
  }

  /** An `error` means that the engine cannot do its background work: it is told to the operator and to the other members. */
  #engineSays(message: string, level: 'warning' | 'error', cause: unknown): void {
    const fields = cause instanceof Error ? { message, error: cause.message } : { message };
    this.#runtime.log(level === 'error' ? 'error' : 'warn', 'engine', fields);
    if (level === 'error') this.#driver?.membership.setHealth('DEGRADED');
  }

  async #openEngine(): Promise<Engine> {
    const { clock, timers, random, fileSystem, tasks } = this.#runtime;
    this.#engine = await Engine.open(
      `${this.config.dataDirectory}/engine`,
      { mergeOperatorName: 'uint32-add', ...this.config.engine },
      {
        fileSystem,
        tasks,
        random,
        timers: {
          monotonicMs: () => clock.monotonicMs(),
          setTimer: (delayMs, callback) => timers.set(delayMs, callback),
          clearTimer: (handle) => timers.clear(handle as number | object),
          defer: (callback) => timers.defer(callback),
        },
        log: (message, level, cause) => this.#engineSays(message, level, cause),
      },
    );
    return this.#engine;
  }

  #build(engine: Engine, state: LocalState): NodeParts {
    const { config } = this;
    const runtime = this.#runtime;
    const { ring, identity, incarnation } = state;
    const self = config.id;
    const dots = new DotIssuer({
      engine,
      clock: runtime.clock,
      secrets: runtime.secrets,
      memberNumber: ring.member(self)?.number ?? 0,
      era: state.tenureEra,
    });
    const hints = new HintStore(engine, incarnation * HINT_IDS_PER_INCARNATION);
    // Of the ring, not of this node's configuration: all owners must sum up alike.
    const group = ring.replicas;
    const leaves = new LeafTable(engine, group);
    const coverage = new SlotCoverage(ring, self, () => {
      if (state.doubt && !this.#isOutgrown) settleDoubt(engine, state);
    });
    const seed = hashOfCluster(identity.clusterId);
    hints.load();
    const replica = new Replica({
      engine,
      self,
      ring,
      dots,
      hints,
      leaves,
      coverage,
      seed,
      doubt: state.doubt,
      probe: (name) => runtime.probe?.(name),
      maxValueBytes: config.maxValueBytes,
    });
    const store = new LocalReplicaStore({ engine, replica, leaves, hints, dots, ring, self, seed });
    this.#transport = this.#makeTransport(state, dots.hybrid);
    return {
      self,
      incarnation,
      config,
      runtime,
      ring,
      replica,
      store,
      coverage,
      transport: this.#transport,
      sharedSlots: sharedSlots(ring, self, group),
      clusterId: identity.clusterId,
      hintSlots: (target) => hints.slotsOf(target),
      failed: () => this.#failure !== undefined || this.#isOutgrown,
      onNewerSelf: (known) => this.#outgrown(engine, known, incarnation),
    };
  }

  #makeTransport(state: LocalState, hybrid: HybridClock): Transport {
    const { config } = this;
    const runtime = this.#runtime;
    const { ring, identity, incarnation } = state;
    return new Transport({
      self: { id: config.id, host: config.host, peerPort: config.peerPort, incarnation },
      cluster: { id: identity.clusterId, generation: identity.generation },
      runtime,
      peerSecret: config.peerSecret,
      peers: () => ring.members,
      hybridNow: () => hybrid.now(runtime.clock.wallMs()),
      onMessage: (from, message, hybridTime) => {
        hybrid.observe(hybridTime, runtime.clock.wallMs());
        this.#driver?.receive(from, message, hybridTime);
      },
      onReachable: (node) => this.#driver?.connected(node),
      onUnreachable: (node) => this.#driver?.disconnected(node),
    });
  }

  /** The directory is older than what others know of this node: only a new start, as a later incarnation, is safe. */
  #outgrown(engine: Engine, known: number, incarnation: number): void {
    if (this.#isOutgrown) return;
    this.#isOutgrown = true;
    const text = `other members know incarnation ${known} of '${this.config.id}' and this one runs as ${incarnation}: its data directory is new, an old copy, or has a twin; start it again, it will take incarnation ${known + 1}`;
    outgrow(engine, known, () => this.#engineFailed(new NodeError('NODE_IDENTITY_CONFLICT', text)));
  }

  #engineFailed(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#runtime.log('error', 'node-failed', { error: error.message });
    this.#driver?.membership.setHealth('FAILED');
    this.#fail(error);
  }

  /** As it is now; who asks brings what the other members are told up to date. */
  #health(driver: Driver): string {
    const degraded = this.#engine?.stats().degraded !== undefined;
    const health = this.#failure !== undefined ? 'FAILED' : degraded ? 'DEGRADED' : 'OK';
    driver.membership.setHealth(health);
    return health;
  }

  #stats(parts: NodeParts, driver: Driver): NodeStats {
    return nodeStats({
      uptimeMs: this.#runtime.clock.monotonicMs() - this.#startedMs,
      health: this.#health(driver),
      engine: this.#engine as Engine,
      parts,
      driver,
    });
  }
}

function promised(start: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === undefined ? resolve() : reject(error)));
  });
}
