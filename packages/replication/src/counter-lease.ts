/**
 * The node's one sequence of counters, leased in blocks: a counter is given out only below an end that is stored
 * durably, and a restart begins at that end. So none is given out twice, whatever was lost, and not every write needs a
 * sync for it.
 *
 *      given out           skipped by a restart
 *   ───────────────┬──────────────────────────────┬───►
 *               issued                        counterEnd  (durable)
 *
 * The hybrid clock is leased with it: no dot gets a time above `hybridEnd`, and a restarted clock starts there, so that
 * hybrid time does not go back even when the wall clock did.
 *
 * Invariants: counters ascend by one within a lease; issued ≤ counterEnd; both ends only go up.
 */
import { COUNTER_MAX } from './dot.ts';
import { ByteReader, writeUint64 } from './encoding.ts';
import { HYBRID_STEPS_PER_MS, type HybridTime } from './hybrid-clock.ts';

/** What is durable. docs/formats.md "Node-local area". */
export interface LeaseState {
  /** The highest counter that may have been given out. */
  readonly counterEnd: number;
  /** The highest hybrid time that may have been given out. */
  readonly hybridEnd: HybridTime;
}

export interface CounterLeaseOptions {
  /**
   * Counters leased at a time. Larger: rarer syncs for it; costs nothing but the counters that a restart skips.
   * @default 65536
   */
  readonly blockCounters?: number;
  /**
   * How far ahead of now hybrid time is leased. Larger: rarer syncs on an idle node; costs: after a restart the clock
   * may start this much ahead of the wall clock.
   * @default 10000
   */
  readonly aheadMs?: number;
}

// On disk.
const FORMAT = 1;
const STATE_BYTES = 17;

export class CounterLease {
  readonly #blockCounters: number;
  readonly #aheadSteps: number;
  #issued: number;
  #end: LeaseState;

  /**
   * `stored`: the lease found in the directory; undefined in a new one. Nothing is leased until the first extension.
   */
  constructor(stored: LeaseState | undefined, options: CounterLeaseOptions = {}) {
    this.#end = stored ?? { counterEnd: 0, hybridEnd: 0 };
    this.#issued = this.#end.counterEnd;
    this.#blockCounters = options.blockCounters ?? 65_536;
    this.#aheadSteps = (options.aheadMs ?? 10_000) * HYBRID_STEPS_PER_MS;
  }

  /** Where the hybrid clock starts after a restart. */
  get hybridFloor(): HybridTime {
    return this.#end.hybridEnd;
  }

  /** The highest counter given out; after a restart, that may have been. */
  get issuedUpTo(): number {
    return this.#issued;
  }

  /** The next counter, for a write at this hybrid time. Undefined: the lease is used up, extend it first. */
  next(hybridTime: HybridTime): number | undefined {
    if (this.#issued >= this.#end.counterEnd || hybridTime > this.#end.hybridEnd) return undefined;
    return ++this.#issued;
  }

  /** Whether `next` would give a counter at this hybrid time. */
  covers(hybridTime: HybridTime): boolean {
    return this.#issued < this.#end.counterEnd && hybridTime <= this.#end.hybridEnd;
  }

  /** More than half is used: extend it now, so that no write has to wait for that. */
  isDue(hybridTime: HybridTime): boolean {
    const countersLeft = this.#end.counterEnd - this.#issued;
    return countersLeft * 2 <= this.#blockCounters || (this.#end.hybridEnd - hybridTime) * 2 <= this.#aheadSteps;
  }

  /** What to store, synced. Nothing changes until `extended`. Throws RangeError when counters or time have run out. */
  extension(hybridTime: HybridTime): LeaseState {
    const counterEnd = this.#issued + this.#blockCounters;
    const hybridEnd = Math.max(hybridTime + this.#aheadSteps, this.#end.hybridEnd);
    if (counterEnd > COUNTER_MAX || hybridEnd > Number.MAX_SAFE_INTEGER) {
      throw new RangeError(`counter lease to ${counterEnd}, hybrid time ${hybridEnd}`);
    }
    return { counterEnd: Math.max(counterEnd, this.#end.counterEnd), hybridEnd };
  }

  /** The extension is durable. */
  extended(state: LeaseState): void {
    this.#end = {
      counterEnd: Math.max(this.#end.counterEnd, state.counterEnd),
      hybridEnd: Math.max(this.#end.hybridEnd, state.hybridEnd),
    };
  }
}

export function encodeLease(state: LeaseState): Buffer {
  const bytes = Buffer.allocUnsafe(STATE_BYTES);
  bytes[0] = FORMAT;
  writeUint64(bytes, writeUint64(bytes, 1, state.counterEnd), state.hybridEnd);
  return bytes;
}

/** Throws REPLICATION_BAD_STATE. */
export function decodeLease(bytes: Uint8Array): LeaseState {
  const reader = new ByteReader(bytes, 'REPLICATION_BAD_STATE');
  const format = reader.uint8();
  if (format !== FORMAT) reader.fail(`lease format ${format}, known is ${FORMAT}`);
  const state = { counterEnd: reader.uint64(), hybridEnd: reader.uint64() };
  reader.end();
  return state;
}
