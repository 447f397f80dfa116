/**
 * Requests as they enter the node, from the command layer: a key becomes an address, settings become a consistency, and the
 * driver does the rest. Implements NodeServices.
 */
import {
  type Consistency,
  checkConsistency,
  encodeAddress,
  type MemberView,
  type ReadOutcome,
  type RequestHeader,
  VersionVector,
  type WriteOperation,
  type WriteOutcome,
} from '@kvd/replication';
import { preferenceList, type Ring, slotOf } from '@kvd/ring';
import { Access } from './access.ts';
import { type NodeConfig, TIMEOUT_MS_MAX } from './config.ts';
import type { Driver } from './driver.ts';
import type { NodeParts } from './node-parts.ts';
import type { ScanPage, ScanRange } from './replica/record-scan.ts';
import type { Runtime } from './runtime.ts';
import type { ScanOutcome, ScanRequest } from './scan-reader.ts';
import type { Trace } from './request-traces.ts';
import type {
  ConsistencyOverrides,
  Copies,
  CopiesRequest,
  NodeServices,
  NodeStats,
  RequestOptions,
} from './services.ts';

const NO_SUBKEY = Buffer.alloc(0);
/** One read in so many asks all N replicas, so that what is read is repaired even where R is small. */
const REPAIR_ONE_IN = 16;
const CONTEXT_KEY_LABEL = Buffer.from('kvd context tokens 1');

export class Entry implements NodeServices {
  readonly config: Required<NodeConfig>;
  readonly runtime: Runtime;
  readonly access: Access;
  readonly #parts: NodeParts;
  readonly #driver: Driver;
  readonly #stats: () => NodeStats;
  #contextKey: Uint8Array | undefined;

  constructor(parts: NodeParts, driver: Driver, stats: () => NodeStats) {
    this.config = parts.config;
    this.runtime = parts.runtime;
    this.access = new Access(parts.config, parts.runtime);
    this.#parts = parts;
    this.#driver = driver;
    this.#stats = stats;
  }

  hybridNowMs(): number {
    return this.#parts.replica.nowMs();
  }

  ring(): Ring {
    return this.#parts.ring;
  }

  members(): readonly MemberView[] {
    return this.#driver.membership.members();
  }

  reachable(id: string): boolean {
    return this.#driver.reachable(id);
  }

  stats(): NodeStats {
    return this.#stats();
  }

  /** N never exceeds the owners that a slot has; what is then larger than it may be is an error unless it was a default. */
  consistency(overrides: ConsistencyOverrides): Consistency | string {
    const defaults = this.config.consistency as Consistency;
    const { ring } = this.#parts;
    const owners = Math.min(ring.replicas, ring.members.length);
    const n = overrides.n ?? Math.min(defaults.n, owners);
    if (n > owners) return `kvd: N ${n} is more than the ${owners} replicas that this keyspace keeps`;
    const r = overrides.r ?? Math.min(defaults.r, n);
    const w = overrides.w ?? Math.min(defaults.w, n);
    const fit = { r, w, pr: Math.min(defaults.pr, r), pw: Math.min(defaults.pw, w), dw: Math.min(defaults.dw, w) };
    const wanted: Consistency = { ...defaults, ...fit, ...overrides, n };
    if (wanted.timeoutMs > TIMEOUT_MS_MAX) return `kvd: TIMEOUT must be at most ${TIMEOUT_MS_MAX} milliseconds`;
    const problem = checkConsistency(wanted, ring.members.length);
    return problem === undefined ? wanted : `kvd: ${problem}`;
  }

  read(
    key: Uint8Array,
    consistency: Consistency,
    done: (outcome: ReadOutcome) => void,
    options?: RequestOptions,
  ): void {
    const slot = slotOf(key);
    const { owners, fallbacks } = preferenceList(this.#parts.ring, slot, consistency.n);
    const address = addressOf(slot, key);
    const header = this.#header(consistency, address, options?.trace);
    this.#driver.read(
      {
        header,
        consistency,
        address,
        row: owners,
        fallbacks,
        isOwner: owners.includes(this.#parts.self),
        repair: this.runtime.random.uint32() % REPAIR_ONE_IN === 0,
        ...(options?.includes === undefined ? undefined : { includes: options.includes }),
      },
      done,
    );
  }

  write(
    key: Uint8Array,
    operation: WriteOperation,
    consistency: Consistency,
    done: (outcome: WriteOutcome) => void,
    options?: RequestOptions,
  ): void {
    const slot = slotOf(key);
    const { owners, fallbacks } = preferenceList(this.#parts.ring, slot, consistency.n);
    const address = addressOf(slot, key);
    this.#driver.write(
      {
        header: this.#header(consistency, address, options?.trace),
        consistency,
        address,
        operation,
        candidates: consistency.mode === 'sloppy' ? [...owners, ...fallbacks] : owners,
      },
      done,
    );
  }

  /** From the cluster's id: a token of another cluster is none of ours. */
  contextKey(): Uint8Array {
    this.#contextKey ??= this.runtime.mac(this.#parts.clusterId, CONTEXT_KEY_LABEL);
    return this.#contextKey;
  }

  endTrace(trace: Trace): void {
    this.#driver.traces.end(trace);
  }

  scan(request: ScanRequest, done: (outcome: ScanOutcome) => void): void {
    this.#driver.scan(request, done);
  }

  scanLocal(range: ScanRange): ScanPage | undefined {
    const { status, records, covered } = this.#parts.replica.scan(range);
    return status === 'ok' ? { records, covered } : undefined;
  }

  /** The record is read from whoever holds the write, then given to all owners. */
  countCopies(copies: CopiesRequest, done: (copies: Copies) => void): void {
    const { key, context, durability, isEnough, timeoutMs } = copies;
    const consistency = { ...copies.consistency, r: 1, pr: 0 };
    const slot = slotOf(key);
    const owners = preferenceList(this.#parts.ring, slot, consistency.n).owners;
    const seen = (holders: ReadonlySet<string>): Copies => ({
      nodes: holders.size,
      here: holders.has(this.#parts.self),
    });
    const includes = VersionVector.decode(context);
    this.read(
      key,
      consistency,
      (outcome) => {
        if (outcome.status !== 'ok' || outcome.record === undefined) return done(seen(new Set()));
        const request = { address: addressOf(slot, key), record: outcome.record, owners, durability, timeoutMs };
        const enough = (holders: ReadonlySet<string>): boolean => isEnough(seen(holders));
        this.#driver.countCopies({ ...request, isEnough: enough }, (holders) => done(seen(holders)));
      },
      { includes },
    );
  }

  readLocal(key: Uint8Array): Uint8Array | undefined {
    return this.#parts.replica.read(addressOf(slotOf(key), key));
  }

  #header(consistency: Consistency, address: Uint8Array, trace: Trace | undefined): RequestHeader {
    const header = this.#driver.header(consistency.timeoutMs);
    if (trace === undefined) return header;
    const traced = { ...header, traceId: header.id.n };
    this.#driver.traces.begin(traced, address, trace);
    return traced;
  }
}

function addressOf(slot: number, key: Uint8Array): Buffer {
  return encodeAddress({ slot, keyspace: 0, generation: 0, key, subkey: NO_SUBKEY });
}
