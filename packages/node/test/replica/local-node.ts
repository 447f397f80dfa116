/**
 * The local copy of one node on a disk in memory: engine, identity, dots, hints, leaves, replica, as node.ts joins them. Nothing
 * moves by itself: `turn` runs what was deferred, `sync` lets the disk answer, `settle` does both until all is quiet.
 */
import { Engine, type EngineOptions, WriteBatch } from '@kvd/lsm';
import { InlineRunner, ManualTimers, MemoryFileSystem, SeededRandom } from '@kvd/lsm/testing';
import {
  addHashes,
  type CoordinateRequest,
  decodeRecord,
  encodeAddress,
  type Hash128,
  hashOfCluster,
  type OperationResult,
  type ReplicateMessage,
  recordHash,
  winner,
  ZERO_HASH,
} from '@kvd/replication';
import { parseInitialMembers, Ring, slotOf } from '@kvd/ring';
import { DotIssuer } from '../../src/replica/dot-issuer.ts';
import { HintStore } from '../../src/replica/hint-store.ts';
import { LeafTable } from '../../src/replica/leaf-table.ts';
import { LocalReplicaStore } from '../../src/replica/local-replica-store.ts';
import { type LocalState, openLocalState } from '../../src/replica/local-state.ts';
import { Replica } from '../../src/replica/replica.ts';
import { SlotCoverage } from '../../src/replica/slot-coverage.ts';

export const CLUSTER_ID = Buffer.alloc(16, 7);
const SEED = hashOfCluster(CLUSTER_ID);
const PATH = '/n1';

export interface LocalNodeOptions {
  /** @default 'n1' */
  readonly self?: string;
  readonly members?: number;
  readonly replicas?: number;
  readonly leaseCounters?: number;
  readonly maxValueBytes?: number;
  readonly engine?: EngineOptions;
}

/** What the replica has said to a coordinator, in order. */
export interface Coordinated {
  readonly events: string[];
  state: Buffer | undefined;
  result: OperationResult | undefined;
}

export const ringOf = (members: number, replicas: number): Ring => {
  const names = Array.from({ length: members }, (_, i) => `n${i + 1}=127.0.0.1:${7001 + i}`);
  return Ring.initial(parseInitialMembers(names.join(',')), { replicas });
};

export const addressOf = (key: string): Buffer =>
  encodeAddress({
    slot: slotOf(Buffer.from(key)),
    keyspace: 0,
    generation: 0,
    key: Buffer.from(key),
    subkey: Buffer.alloc(0),
  });

export const textOf = (record: Uint8Array | undefined): string | undefined => {
  const value = record === undefined ? undefined : winner(decodeRecord(record));
  return value === undefined ? undefined : Buffer.from(value.bytes).toString();
};

export class LocalNode {
  readonly disk: MemoryFileSystem;
  readonly ring: Ring;
  readonly probes: string[] = [];
  timers = new ManualTimers();
  wallMs = 1_700_000_000_000;
  engine!: Engine;
  state!: LocalState;
  dots!: DotIssuer;
  hints!: HintStore;
  leaves!: LeafTable;
  coverage!: SlotCoverage;
  replica!: Replica;
  store!: LocalReplicaStore;
  readonly self: string;
  readonly #options: LocalNodeOptions;
  readonly #random = new SeededRandom(5);
  #completions: (() => void)[] = [];
  #requests = 0;

  private constructor(options: LocalNodeOptions) {
    this.#options = options;
    this.self = options.self ?? 'n1';
    this.ring = ringOf(options.members ?? 3, options.replicas ?? 3);
    this.disk = new MemoryFileSystem({ deferAsync: (completion) => void this.#completions.push(completion) });
  }

  /** In a new directory. */
  static async start(options: LocalNodeOptions = {}): Promise<LocalNode> {
    const node = new LocalNode(options);
    await node.open();
    return node;
  }

  async open(): Promise<void> {
    await this.openEngine();
    const first = () => ({ identity: { nodeId: this.self, clusterId: CLUSTER_ID, generation: 1 }, ring: this.ring });
    this.state = await this.run(
      openLocalState(this.engine, this.self, { first, check: () => {} }, this.engine.recovery.tailDoubt),
    );
    this.#join();
  }

  async openEngine(): Promise<void> {
    const { disk, timers } = this;
    const tasks = new InlineRunner({ fileSystem: disk, timers });
    const options = { mergeOperatorName: 'uint32-add', writeDelayMaxMs: 0, ...this.#options.engine };
    this.engine = await this.run(Engine.open(PATH, options, { fileSystem: disk, timers, tasks, random: this.#random }));
  }

  #join(): void {
    const { engine, ring, state } = this;
    const clock = { monotonicMs: () => this.timers.monotonicMs(), wallMs: () => this.wallMs };
    const secrets = {
      fill: (bytes: Uint8Array) => {
        for (let i = 0; i < bytes.length; i++) bytes[i] = this.#random.uint32();
      },
    };
    const { leaseCounters, maxValueBytes } = this.#options;
    this.dots = new DotIssuer({
      engine,
      clock,
      secrets,
      memberNumber: ring.member(this.self)?.number ?? 0,
      era: state.tenureEra,
      ...(leaseCounters !== undefined && { leaseCounters }),
    });
    this.hints = new HintStore(engine, state.incarnation * 2 ** 32);
    this.hints.load();
    this.leaves = new LeafTable(engine, ring.replicas);
    this.coverage = new SlotCoverage(ring, this.self);
    const { dots, hints, leaves, coverage } = this;
    const probe = (name: string) => void this.probes.push(name);
    const parts = { engine, self: this.self, ring, dots, hints, leaves, seed: SEED };
    this.replica = new Replica({
      ...parts,
      coverage,
      doubt: state.doubt,
      probe,
      ...(maxValueBytes !== undefined && { maxValueBytes }),
    });
    this.store = new LocalReplicaStore({ ...parts, replica: this.replica });
  }

  turn(): void {
    this.timers.drain();
  }

  /** The disk answers what was asked of it. */
  sync(): void {
    const completions = this.#completions;
    this.#completions = [];
    for (const completion of completions) completion();
  }

  settle(): void {
    do {
      this.turn();
      this.sync();
    } while (this.#completions.length > 0 || this.timers.turn());
  }

  /** Waits for a promise of the engine, moving everything meanwhile. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = () => void (isDone = true);
    work.then(end, end);
    while (!isDone) {
      this.settle();
      this.timers.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return work;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.open();
  }

  stop(): Promise<void> {
    return this.run(this.engine.close());
  }

  /** The machine loses power: what was not synced is gone, or may be. */
  crash(mode: 'drop-all' | 'random' | 'keep-all' = 'drop-all'): void {
    this.#completions = [];
    this.timers = new ManualTimers();
    this.disk.crash({ mode, random: () => this.#random.uint32() / 2 ** 32 });
  }

  /** Commits fail from now on as the engine says when too much waits for its flush. */
  refuseCommits(error: Error): () => void {
    const { engine } = this;
    const commit = engine.commit;
    engine.commit = (_batch, _durability, done) => done(error);
    return () => {
      engine.commit = commit;
    };
  }

  coordinate(key: string, value: string | undefined, more: Partial<CoordinateRequest> = {}): Coordinated {
    const told: Coordinated = { events: [], state: undefined, result: undefined };
    const request: CoordinateRequest = {
      requestId: { entry: 'n1', incarnation: 1, n: ++this.#requests },
      address: addressOf(key),
      operation:
        value === undefined
          ? { type: 'delete', supersedes: 'held' }
          : { type: 'put', value: Buffer.from(value), supersedes: 'held' },
      seen: [],
      durability: 'sync',
      hintFor: [],
      ...more,
    };
    this.replica.coordinate(request, {
      merged: (state, _context, result) => {
        told.state = Buffer.from(state);
        told.result = result;
        told.events.push('merged');
      },
      unchanged: (_context, result) => {
        told.result = result;
        told.events.push('unchanged');
      },
      failed: (reason) => void told.events.push(`failed ${reason}`),
      stored: (error) => void told.events.push(error === undefined ? 'stored' : 'lost'),
    });
    return told;
  }

  replicate(key: string, record: Uint8Array, more: Partial<ReplicateMessage> = {}): string[] {
    const told: string[] = [];
    this.replica.replicate(replicateOf(addressOf(key), record, more), (reason) => told.push(reason || 'stored'));
    return told;
  }

  read(key: string): string | undefined {
    return textOf(this.replica.read(addressOf(key)));
  }

  /** The leaf as it should be: the sum over what a scan of the slot finds. */
  scannedLeaf(slot: number): Hash128 {
    let sum: Hash128 = ZERO_HASH;
    for (const { hash } of this.store.list(slot, { limit: 1_000_000 }).keys) sum = addHashes(sum, hash);
    return sum;
  }

  hashOf(key: string, record: Uint8Array): Hash128 {
    return recordHash(SEED, addressOf(key), record);
  }
}

export function replicateOf(
  address: Uint8Array,
  record: Uint8Array,
  more: Partial<ReplicateMessage> = {},
): ReplicateMessage {
  return {
    kind: 'replicate',
    stream: 4,
    header: {
      id: { entry: 'n2', incarnation: 1, n: 1 },
      remainingMs: 1000,
      ringEpoch: 1,
      slotPhase: 0,
      keyspace: 0,
      keyspaceVersion: 1,
      traceId: 0,
    },
    purpose: 'write',
    hintFor: undefined,
    durability: 'sync',
    items: [{ address, record }],
    ...more,
  };
}

export { WriteBatch };
