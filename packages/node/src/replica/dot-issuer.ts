/**
 * Dots and hybrid times for the writes that this node coordinates.
 *
 * - A counter is issued only from a block that was leased durably; a restart begins at the lease's end. The lease carries the
 *   high-water mark of the hybrid clock too: no time above it is given to a write.
 * - An actor is a tenure of one slot. It is put into the batch of the first write that uses it: if the write is lost in a
 *   crash, so is the tenure, and the doubt about the log's tail ends the era, so that it is never used again.
 */
import type { Engine } from '@kvd/lsm';
import { WriteBatch } from '@kvd/lsm';
import {
  type Actor,
  CounterLease,
  type Dot,
  FAMILY_SLOT_STATE,
  type HybridClock,
  localKey,
  localPrefixEnd,
  type TenureReason,
  TenureTable,
} from '@kvd/replication';
import type { Clock, Secrets } from '../runtime.ts';

/** Counters per lease. */
const LEASE_COUNTERS = 65_536;
/** How far the leased high-water mark lies ahead of the clock. */
const LEASE_AHEAD_MS = 60_000;
/** A lease with less than this left is extended before it is used up. */
const RENEW_BELOW_COUNTERS = LEASE_COUNTERS / 4;
const RENEW_BELOW_MS = LEASE_AHEAD_MS / 4;

const LEASE_KEY = localKey(FAMILY_SLOT_STATE, Buffer.from('lease'));
const TENURE_PREFIX = localKey(FAMILY_SLOT_STATE, Buffer.from('tenure/'));

export interface DotIssuerDependencies {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly hybrid: HybridClock;
  readonly memberNumber: number;
  readonly era: number;
  readonly leaseCounters?: number;
}

export interface Stamp {
  readonly dot: Dot;
  readonly hybridTime: number;
}

export class DotIssuer {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #hybrid: HybridClock;
  readonly #secretWords: { uint32(): number };
  readonly #tenures: TenureTable;
  readonly #lease: CounterLease;
  readonly #leaseCounters: number;
  #era: number;
  #extending = false;
  #waiting: ((error?: Error) => void)[] = [];

  constructor(dependencies: DotIssuerDependencies) {
    this.#engine = dependencies.engine;
    this.#clock = dependencies.clock;
    this.#hybrid = dependencies.hybrid;
    this.#secretWords = wordsFrom(dependencies.secrets);
    this.#tenures = new TenureTable(dependencies.memberNumber);
    this.#leaseCounters = dependencies.leaseCounters ?? LEASE_COUNTERS;
    this.#lease = CounterLease.restart(dependencies.engine.getSync(LEASE_KEY));
    this.#hybrid.observeDurable(this.#lease.highWater);
    this.#era = dependencies.era;
  }

  /** Loads the tenures of the present era. */
  load(): void {
    const cursor = this.#engine.cursor({ gte: TENURE_PREFIX, lt: localPrefixEnd(TENURE_PREFIX) });
    try {
      while (cursor.next()) {
        if (Number(cursor.value.readBigUInt64BE(0)) !== this.#era) continue;
        const slot = cursor.key.readUInt16BE(cursor.key.length - 2);
        this.#tenures.load(slot, cursor.value.toString('latin1', 8) as Actor);
      }
    } finally {
      cursor.close();
    }
  }

  current(slot: number): Actor | undefined {
    return this.#tenures.current(slot);
  }

  /** The slot's tenure ends: this node may no longer hold all that it issued in it. */
  retire(slot: number, reason: TenureReason): void {
    if (this.#tenures.current(slot) === undefined) return;
    this.#tenures.retire(slot, reason);
    this.#engine.commit(new WriteBatch().delete(tenureKey(slot)), 'memory', () => {});
  }

  /** Calls back at once when a dot may be issued, or after the lease is extended; with an error when it cannot be. */
  whenReady(callback: (error?: Error) => void): void {
    const low = this.#isLow();
    if (low && !this.#extending) this.#extend();
    if (this.#usable()) callback();
    else this.#waiting.push(callback);
  }

  /** Issues the next dot of the slot. Only after `whenReady`, in the same turn. A new tenure goes into the batch. */
  issue(slot: number, batch: WriteBatch): Stamp {
    const counter = this.#lease.next();
    if (counter === undefined) throw new Error('a dot was asked for without a lease');
    const actor = this.#tenures.current(slot) ?? this.#mint(slot, batch);
    return { dot: { actor, counter }, hybridTime: this.#hybrid.now(this.#clock.wallMs()) };
  }

  #mint(slot: number, batch: WriteBatch): Actor {
    const actor = this.#tenures.mint(slot, this.#secretWords);
    const value = Buffer.alloc(18);
    value.writeBigUInt64BE(BigInt(this.#era), 0);
    value.write(actor, 8, 'latin1');
    batch.put(tenureKey(slot), value);
    return actor;
  }

  #usable(): boolean {
    return this.#lease.remaining > 0 && this.#aheadMs() > 0;
  }

  #isLow(): boolean {
    const counters = Math.min(RENEW_BELOW_COUNTERS, this.#leaseCounters / 4);
    return this.#lease.remaining <= counters || this.#aheadMs() < RENEW_BELOW_MS;
  }

  #aheadMs(): number {
    return this.#hybrid.millisUntil(this.#lease.highWater, this.#clock.wallMs());
  }

  #extend(): void {
    this.#extending = true;
    const next = this.#lease.extension({
      counters: this.#leaseCounters,
      highWater: this.#hybrid.ahead(this.#clock.wallMs(), LEASE_AHEAD_MS),
    });
    this.#engine.commit(new WriteBatch().put(LEASE_KEY, next.encode()), 'sync', (error) => {
      this.#extending = false;
      if (error === undefined) this.#lease.adopt(next);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) {
        if (error !== undefined) callback(error);
        else this.whenReady(callback);
      }
    });
  }
}

function tenureKey(slot: number): Buffer {
  return Buffer.concat([TENURE_PREFIX, Buffer.from([slot >>> 8, slot & 0xff])]);
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
