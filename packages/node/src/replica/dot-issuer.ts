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
  memberNumberOf,
  slotStateKey,
  type TenureReason,
  TenureTable,
  type VersionVector,
  wallMsOf,
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
  readonly #memberNumber: number;
  readonly #entropy: { uint32(): number };
  readonly #tenures: TenureTable;
  readonly #loaded = new Set<number>();
  readonly #lease: CounterLease;
  /** Slots whose tenure may have changed in a batch that was not taken. */
  readonly #unsaved = new Set<number>();
  #extending = false;
  #waiting: ((error?: Error) => void)[] = [];

  constructor(dependencies: DotIssuerDependencies) {
    const { engine, clock, secrets, memberNumber, era, leaseCounters } = dependencies;
    this.#engine = engine;
    this.#clock = clock;
    this.#memberNumber = memberNumber;
    this.#entropy = wordsFrom(secrets);
    this.#tenures = new TenureTable({ memberNumber, era });
    const stored = engine.getSync(LEASE_KEY);
    const options = leaseCounters === undefined ? {} : { blockCounters: leaseCounters };
    this.#lease = new CounterLease(stored === undefined ? undefined : decodeLease(stored), options);
    this.hybrid = new HybridClock(this.#lease.hybridFloor);
  }

  /** Hybrid time in milliseconds, for deadlines: never behind what was issued or heard of. */
  nowMs(): number {
    return Math.max(Math.floor(this.#clock.wallMs()), wallMsOf(this.hybrid.highWater));
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
    const isDue = this.#lease.isDue(now);
    const isCovered = this.#lease.covers(now + MARGIN);
    // It waits before the extension begins: that may fail within the call, and then answers whoever waits.
    if (!isCovered) this.#waiting.push(callback);
    if (isDue || !isCovered) this.#extend(now);
    if (isCovered) callback();
  }

  /** The slot's next dot. Only within the callback of `whenReady`. A new tenure goes into the batch. */
  issue(slot: number, batch: WriteBatch): Stamp {
    this.#load(slot);
    const hybridTime = this.hybrid.now(this.#clock.wallMs());
    const counter = this.#lease.next(hybridTime);
    if (counter === undefined) throw new Error('a dot was asked for without a lease');
    const actor = this.#tenures.current(slot) ?? this.#mint(slot, batch);
    this.#saveAgain(slot, batch);
    return { dot: { actor, counter }, hybridTime };
  }

  /** The batch in which the slot's tenure may have changed was not taken: the state goes into the slot's next one. */
  unsaved(slot: number): void {
    if (this.#loaded.has(slot)) this.#unsaved.add(slot);
  }

  /** Ends the slot's tenure: this node may no longer hold all that it issued in it. Goes into the batch. */
  retire(slot: number, reason: TenureReason, batch: WriteBatch): void {
    this.#load(slot);
    if (this.#tenures.current(slot) === undefined) return this.#saveAgain(slot, batch);
    this.#tenures.retire(slot, reason);
    this.#save(slot, batch);
  }

  /** Looks for own writes that this node has forgotten in a state that came in, before it is merged. True: there were some. */
  observe(slot: number, incoming: VersionVector, held: VersionVector | undefined, batch: WriteBatch): boolean {
    this.#load(slot);
    const evidence = { incoming, held, issuedUpTo: this.#lease.issuedUpTo };
    if (this.#tenures.observe(slot, evidence) === undefined) {
      this.#saveAgain(slot, batch);
      return false;
    }
    this.#save(slot, batch);
    return true;
  }

  /** Some actor of the context is, or was, this node. */
  isNamedIn(context: VersionVector): boolean {
    for (let i = 0; i < context.size; i++) if (memberNumberOf(context.actorAt(i)) === this.#memberNumber) return true;
    return false;
  }

  /**
   * What a client says that it has seen: a dot of the present tenure that was issued and is not held here has been lost, and the
   * tenure ends (basho/riak_kv#1643). Less than `observe` believes: a client's word retires no other actor.
   */
  observeClient(slot: number, seen: VersionVector, held: VersionVector | undefined, batch: WriteBatch): void {
    this.#load(slot);
    const actor = this.#tenures.current(slot);
    if (actor === undefined) return;
    const counter = seen.get(actor);
    if (counter <= (held?.get(actor) ?? 0) || counter > this.#lease.issuedUpTo) return;
    this.retire(slot, 'missing-locally', batch);
  }

  #mint(slot: number, batch: WriteBatch): Actor {
    const actor = this.#tenures.mint(slot, this.#entropy);
    this.#save(slot, batch);
    return actor;
  }

  #save(slot: number, batch: WriteBatch): void {
    this.#unsaved.delete(slot);
    batch.put(tenureKey(slot), this.#tenures.encode(slot));
  }

  #saveAgain(slot: number, batch: WriteBatch): void {
    if (this.#unsaved.has(slot)) this.#save(slot, batch);
  }

  /** One that cannot be read fails the operation at hand; the next mints a new tenure, which is always right. */
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
