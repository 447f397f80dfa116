/**
 * A hybrid logical clock: wall time as far as it goes, a logical step where it does not.
 *
 * A hybrid time is one safe integer, milliseconds since 1970 times 2048 plus 11 logical bits; a full logical part
 * carries into the milliseconds, so that time only ever goes up. The 42 bits of milliseconds last until May 2109.
 *
 * Invariants: `now` ascends strictly, and is above all that was observed; what comes back after a restart is above all
 * that was issued before, for the counter lease keeps a high-water mark (counter-lease.ts).
 */

/** `milliseconds * 2048 + logical`. On disk and on the wire: docs/formats.md "Records". */
export type HybridTime = number;

export const HYBRID_STEPS_PER_MS = 2048;

export function hybridTimeOf(wallMs: number): HybridTime {
  return Math.floor(wallMs) * HYBRID_STEPS_PER_MS;
}

export function wallMsOf(time: HybridTime): number {
  return Math.floor(time / HYBRID_STEPS_PER_MS);
}

export interface HybridClockOptions {
  /**
   * How far ahead of this node's wall clock a peer's hybrid time may be and still be believed. Larger: peers with bad
   * clocks are listened to; costs: one wild clock drags everybody's time with it, for ever.
   * @default 60000
   */
  readonly maxDriftMs?: number;
}

export class HybridClock {
  readonly #maxDriftMs: number;
  #last: HybridTime;

  /** `floor`: the high-water mark kept before the restart; all times issued are above it. */
  constructor(floor: HybridTime = 0, options: HybridClockOptions = {}) {
    this.#last = floor;
    this.#maxDriftMs = options.maxDriftMs ?? 60_000;
  }

  /** A time above every one issued or observed before. Throws RangeError in May 2109. */
  now(wallMs: number): HybridTime {
    const wall = hybridTimeOf(wallMs);
    const next = wall > this.#last ? wall : this.#last + 1;
    if (next > Number.MAX_SAFE_INTEGER) throw new RangeError(`hybrid time beyond 2^53 - 1: wall clock ${wallMs} ms`);
    this.#last = next;
    return next;
  }

  /**
   * Moves on past a peer's time. False when that is more than `maxDriftMs` ahead of the wall clock: nothing was moved,
   * and the caller counts it. The bound is on the wall clock, not on this one: else small steps would add up to any
   * drift.
   */
  observe(remote: HybridTime, wallMs: number): boolean {
    if (remote <= this.#last) return true;
    if (remote > hybridTimeOf(wallMs + this.#maxDriftMs)) return false;
    this.#last = remote;
    return true;
  }

  /** The highest time issued or observed so far. */
  get highWater(): HybridTime {
    return this.#last;
  }
}
