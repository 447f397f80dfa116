/**
 * NodeServices over a map: one replica, no cluster. Answers come at once, unless the test holds them back with `hold` and lets
 * them go one by one; an outcome may be planted for the next requests.
 */
import {
  applyOperation,
  type Consistency,
  checkConsistency,
  decodeRecord,
  type DottedRecord,
  encodeAddress,
  encodeRecord,
  hybridTimeOf,
  makeActor,
  type MemberView,
  type ReadOutcome,
  type WriteOperation,
  type WriteOutcome,
  winner,
} from '@kvd/replication';
import { parseInitialMembers, Ring, slotOf } from '@kvd/ring';
import { Access } from '../../src/access.ts';
import { type NodeConfig, resolveConfig } from '../../src/config.ts';
import { nodeMac } from '../../src/runtime/node-mac.ts';
import type { Runtime } from '../../src/runtime.ts';
import type { ScanOutcome, ScanRequest } from '../../src/scan-reader.ts';
import type { ConsistencyOverrides, Copies, CopiesRequest, NodeServices, NodeStats } from '../../src/services.ts';
import { ManualTime } from './manual-time.ts';

export const MEMBERS = 'n1=127.0.0.1:7379,n2=127.0.0.1:7380,n3=127.0.0.1:7381';
const ACTOR = makeActor({ memberNumber: 1, tenureHigh: 0, tenureLow: 1 });

export interface Request {
  readonly kind: 'read' | 'write';
  readonly key: string;
  readonly consistency: Consistency;
  readonly finish: () => void;
}

export class MemoryServices implements NodeServices {
  readonly config: Required<NodeConfig>;
  readonly runtime: Runtime;
  readonly access: Access;
  readonly time = new ManualTime();
  readonly requests: Request[] = [];
  /** Keep requests until `release`. */
  hold = false;
  readFailure: Exclude<ReadOutcome, { status: 'ok' }> | undefined;
  writeFailure: Exclude<WriteOutcome, { status: 'ok' }> | undefined;
  /** Names of members that cannot be reached. */
  readonly unreachable = new Set<string>();
  readonly logged: { event: string; fields: unknown }[] = [];
  readonly #ring: Ring;
  readonly #records = new Map<string, DottedRecord>();
  #counter = 0;
  #requestNumber = 0;

  constructor(options: { config?: Partial<NodeConfig>; runtime?: Partial<Runtime> } = {}) {
    this.config = resolveConfig({
      id: 'n1',
      dataDirectory: '/data',
      initialMembers: MEMBERS,
      unsafeNoAuth: true,
      ...options.config,
    });
    const missing = (): never => {
      throw new Error('no such thing in this test');
    };
    this.runtime = {
      clock: this.time,
      timers: this.time,
      random: { uint32: () => 4 },
      secrets: { fill: (bytes) => bytes.fill(7) },
      mac: nodeMac,
      network: { listen: missing, connect: missing },
      fileSystem: undefined as never,
      tasks: undefined as never,
      log: (_level, event, fields) => void this.logged.push({ event, fields }),
      ...options.runtime,
    };
    this.access = new Access(this.config, this.runtime);
    this.#ring = Ring.initial(parseInitialMembers(this.config.initialMembers), { replicas: 2 });
  }

  hybridNowMs(): number {
    return this.time.wallMs();
  }

  ring(): Ring {
    return this.#ring;
  }

  members(): readonly MemberView[] {
    return this.#ring.members.map(({ id, host, port, peerPort }) => ({
      id,
      host,
      port,
      peerPort,
      incarnation: 1,
      heartbeat: 1,
      state: this.unreachable.has(id) ? ('suspect' as const) : ('alive' as const),
      suspectedBy: this.unreachable.has(id) ? ['n1'] : [],
      health: id === 'n3' ? '' : 'OK',
      movedAtMs: 0,
    }));
  }

  reachable(id: string): boolean {
    return !this.unreachable.has(id);
  }

  stats(): NodeStats {
    return {
      uptimeMs: 90_061_000,
      incarnation: 7,
      clusterId: 'c0ffee',
      health: 'OK',
      engine: { memtableBytes: 1024, blockCacheBytes: 1024 },
      counters: { write_ok: 3 },
      hintsPending: { n2: 2, n3: 1 },
    };
  }

  consistency(overrides: ConsistencyOverrides): Consistency | string {
    const made = { ...(this.config.consistency as Consistency), ...overrides };
    const problem = checkConsistency(made, this.#ring.members.length);
    return problem === undefined ? made : `kvd: ${problem}`;
  }

  read(key: Uint8Array, consistency: Consistency, done: (outcome: ReadOutcome) => void): void {
    const name = Buffer.from(key).toString('latin1');
    this.#take('read', name, consistency, () => {
      if (this.readFailure !== undefined) return done(this.readFailure);
      done({ status: 'ok', record: this.readLocal(key), answered: consistency.r, degraded: false });
    });
  }

  write(
    key: Uint8Array,
    operation: WriteOperation,
    consistency: Consistency,
    done: (outcome: WriteOutcome) => void,
  ): void {
    const name = Buffer.from(key).toString('latin1');
    this.#take('write', name, consistency, () => {
      if (this.writeFailure !== undefined) return done(this.writeFailure);
      const applied = applyOperation(this.#records.get(name), operation, {
        stamp: () => {
          const counter = ++this.#counter;
          return { dot: { actor: ACTOR, counter }, hybridTime: hybridTimeOf(counter) };
        },
        nowMs: this.hybridNowMs(),
        requestId: { entry: 'n1', incarnation: 1, n: ++this.#requestNumber },
        valueBytesMax: this.config.maxValueBytes,
      });
      if ('rejected' in applied) return done({ status: 'failed', reason: 'rejected', detail: applied.rejected });
      const { record, result } = applied;
      // Copied, since the arguments of a command are valid until its reply only.
      if (record !== undefined) this.#records.set(name, decodeRecord(encodeRecord(record)));
      done({ status: 'ok', context: Buffer.alloc(0), acknowledged: consistency.w, hinted: 0, result });
    });
  }

  /** Pages of so many keys as asked for, in the order of their addresses. */
  scan({ place, limit, toSlot = 16383 }: ScanRequest, done: (outcome: ScanOutcome) => void): void {
    if (this.readFailure !== undefined) return done(this.readFailure);
    const all = this.#addresses().filter(
      ({ slot, address }) => slot >= place.slot && slot <= toSlot && Buffer.compare(address, place.after) > 0,
    );
    const page = all.slice(0, limit);
    const keys = page.map(({ key, address, record }) => {
      const value = winner(record, this.hybridNowMs());
      const state = value === undefined ? ('dead' as const) : ('live' as const);
      return { key, address, state, expires: (value?.deadlines.length ?? 0) > 0 };
    });
    const last = page.at(-1);
    const isEnd = page.length === all.length || last === undefined;
    done({ status: 'ok', keys, next: isEnd ? undefined : { slot: last.slot, after: last.address } });
  }

  scanLocal(): undefined {
    return undefined;
  }

  /** As many as the test says. */
  copies: Copies = { nodes: 2, here: true };
  readonly copiesAsked: CopiesRequest[] = [];

  countCopies(copies: CopiesRequest, done: (copies: Copies) => void): void {
    this.copiesAsked.push(copies);
    done(this.copies);
  }

  #addresses(): { key: Buffer; slot: number; address: Buffer; record: DottedRecord }[] {
    const all = [...this.#records].map(([name, record]) => {
      const key = Buffer.from(name, 'latin1');
      const slot = slotOf(key);
      const place = { slot, keyspace: 0, generation: 0 };
      return { key, slot, record, address: encodeAddress({ ...place, key, subkey: Buffer.alloc(0) }) };
    });
    return all.sort((a, b) => Buffer.compare(a.address, b.address));
  }

  contextKey(): Uint8Array {
    return Buffer.from('key of the test');
  }

  endTrace(): void {}

  readLocal(key: Uint8Array): Uint8Array | undefined {
    const record = this.#records.get(Buffer.from(key).toString('latin1'));
    return record === undefined ? undefined : encodeRecord(record);
  }

  /** How many records are kept, tombstones too. */
  get recordCount(): number {
    return this.#records.size;
  }

  /** What the store holds, without a request. */
  peek(key: string): string | undefined {
    const bytes = this.readLocal(Buffer.from(key, 'latin1'));
    const value = bytes === undefined ? undefined : decodeRecord(bytes).values[0];
    return value?.bytes === undefined ? undefined : Buffer.from(value.bytes).toString('latin1');
  }

  /** Finishes one request that is held, the oldest by default. */
  release(index = 0): void {
    const [request] = this.requests.splice(index, 1);
    if (request === undefined) throw new Error('nothing is held');
    request.finish();
  }

  releaseAll(): void {
    while (this.requests.length > 0) this.release();
  }

  #take(kind: Request['kind'], key: string, consistency: Consistency, finish: () => void): void {
    if (this.hold) this.requests.push({ kind, key, consistency, finish });
    else finish();
  }
}
