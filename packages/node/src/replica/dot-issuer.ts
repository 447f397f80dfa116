/**
 * Dots and hybrid times for the writes that this node coordinates.
 *
 * - A counter is given out only from a block that was leased durably (CounterLease); so is hybrid time.
 * - An actor is a tenure of one slot (TenureTable). A change of tenure goes into the batch of what it comes with: the first
 *   dot of a new one, the merge or the drop that ended one. If that write is lost in a crash, so is the tenure, and the doubt
 *   about the log's tail begins a new era, so that it is never used again.
 */
import { type Engine, WriteBatch } from '@kvd/lsm';
import {
  type Actor,
  CounterLease,
  decodeLease,
  type Dot,
  encodeLease,
  FAMILY,
  HYBRID_STEPS_PER_MS,
  HybridClock,
  localKey,
  slotStateKey,
  type TenureReason,
  TenureTable,
  type VersionVector,
} from '@kvd/replication';
import type { Clock, Secrets } from '../runtime.ts';

const LEASE_KEY = localKey(FAMILY.nodeState, Buffer.from('lease'));

/** The clock may move between asking whether a dot may be issued and issuing it. */
const MARGIN = 1000 * HYBRID_STEPS_PER_MS;

export interface DotIssuerDependencies {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly memberNumber: number;
  readonly era: number;
  /** @default that of CounterLease */
  readonly leaseCounters?: number;
}

export interface Stamp {
  readonly dot: Dot;
  readonly hybridTime: number;
}

export class DotIssuer {
  /** Starts above every time that was given out before the restart. */
  readonly hybrid: HybridClock;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #entropy: { uint32(): number };
  readonly #tenures: TenureTable;
  readonly #loaded = new Set<number>();
  readonly #lease: CounterLease;
  #extending = false;
  #waiting: ((error?: Error) => void)[] = [];

  constructor(dependencies: DotIssuerDependencies) {
    const { engine, clock, secrets, memberNumber, era, leaseCounters } = dependencies;
    this.#engine = engine;
    this.#clock = clock;
    this.#entropy = wordsFrom(secrets);
    this.#tenures = new TenureTable({ memberNumber, era });
    const stored = engine.getSync(LEASE_KEY);
    const options = leaseCounters === undefined ? {} : { blockCounters: leaseCounters };
    this.#lease = new CounterLease(stored === undefined ? undefined : decodeLease(stored), options);
    this.hybrid = new HybridClock(this.#lease.hybridFloor);
  }

  /** This node's tenure has issued a dot of that context. */
  hasIssued(slot: number, context: VersionVector): boolean {
    this.#load(slot);
    const actor = this.#tenures.current(slot);
    return actor !== undefined && context.get(actor) > 0;
  }

  /** Calls back at once when a dot may be issued, or after the lease is extended; with an error when it cannot be. */
  whenReady(callback: (error?: Error) => void): void {
    const now = this.hybrid.now(this.#clock.wallMs());
    if (this.#lease.isDue(now)) this.#extend(now);
    if (this.#lease.covers(now + MARGIN)) callback();
    else this.#waiting.push(callback);
  }

  /** The slot's next dot. Only within the callback of `whenReady`. A new tenure goes into the batch. */
  issue(slot: number, batch: WriteBatch): Stamp {
    this.#load(slot);
    const hybridTime = this.hybrid.now(this.#clock.wallMs());
    const counter = this.#lease.next(hybridTime);
    if (counter === undefined) throw new Error('a dot was asked for without a lease');
    return { dot: { actor: this.#tenures.current(slot) ?? this.#mint(slot, batch), counter }, hybridTime };
  }

  /** Ends the slot's tenure: this node may no longer hold all that it issued in it. Goes into the batch. */
  retire(slot: number, reason: TenureReason, batch: WriteBatch): void {
    this.#load(slot);
    if (this.#tenures.current(slot) === undefined) return;
    this.#tenures.retire(slot, reason);
    batch.put(tenureKey(slot), this.#tenures.encode(slot));
  }

  /** Looks for own writes that this node has forgotten in a state that came in, before it is merged. True: there were some. */
  observe(slot: number, incoming: VersionVector, held: VersionVector | undefined, batch: WriteBatch): boolean {
    this.#load(slot);
    const evidence = { incoming, held, issuedUpTo: this.#lease.issuedUpTo };
    if (this.#tenures.observe(slot, evidence) === undefined) return false;
    batch.put(tenureKey(slot), this.#tenures.encode(slot));
    return true;
  }

  #mint(slot: number, batch: WriteBatch): Actor {
    const actor = this.#tenures.mint(slot, this.#entropy);
    batch.put(tenureKey(slot), this.#tenures.encode(slot));
    return actor;
  }

  #load(slot: number): void {
    if (this.#loaded.has(slot)) return;
    this.#loaded.add(slot);
    const stored = this.#engine.getSync(tenureKey(slot));
    if (stored !== undefined) this.#tenures.loadEncoded(slot, stored);
  }

  #extend(now: number): void {
    if (this.#extending) return;
    this.#extending = true;
    const extension = this.#lease.extension(now);
    this.#engine.commit(new WriteBatch().put(LEASE_KEY, encodeLease(extension)), 'sync', (error) => {
      this.#extending = false;
      if (error === undefined) this.#lease.extended(extension);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) {
        if (error === undefined) this.whenReady(callback);
        else callback(error);
      }
    });
  }
}

function tenureKey(slot: number): Buffer {
  return slotStateKey(slot, 'tenure');
}

function wordsFrom(secrets: Secrets): { uint32(): number } {
  const word = Buffer.alloc(4);
  return {
    uint32() {
      secrets.fill(word);
      return word.readUInt32BE(0);
    },
  };
}
