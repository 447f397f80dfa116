/**
 * Holds answers to writes back while flush and compaction are behind: a delay that grows with the square of the
 * pressure, so that writers slow down long before a bound is met. Only the answer waits; the write is done and visible.
 */
import type { Done } from './file-system/file-system.ts';
import type { ResolvedOptions } from './options.ts';
import type { Timers, TimerHandle } from './timers.ts';

export interface WritePressure {
  readonly level0Tables: number;
  readonly sealedMemtables: number;
  /** Bytes over the targets of the levels. */
  readonly debtBytes: number;
}

/** Compaction debt, in sizes of level 1, at which the delay begins, and at which it is longest. */
const DEBT_SOFT = 4;
const DEBT_HARD = 32;

/** The delay in ms: 0 without pressure, `writeDelayMaxMs` at a bound. */
export function writeDelayMs(options: ResolvedOptions, pressure: WritePressure): number {
  const level0 = share(pressure.level0Tables, options.level0CompactionTables * 2, options.level0TablesMax);
  const sealed = share(
    pressure.sealedMemtables,
    Math.min(2, options.sealedMemtablesMax - 1),
    options.sealedMemtablesMax,
  );
  const debt = share(pressure.debtBytes, options.level1SizeBytes * DEBT_SOFT, options.level1SizeBytes * DEBT_HARD);
  const worst = Math.max(level0, sealed, debt);
  return worst * worst * options.writeDelayMaxMs;
}

function share(value: number, soft: number, hard: number): number {
  return Math.min(1, Math.max(0, (value - soft) / (hard - soft)));
}

/** Below this the delay is not worth a timer. */
const DELAY_MS_MIN = 0.5;

export class WriteStall {
  readonly #timers: Timers;
  readonly #held = new Map<TimerHandle, readonly Done[]>();
  #delayMs = 0;
  #delayedAnswers = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  /** Answers that were held back since open. */
  get delayedAnswers(): number {
    return this.#delayedAnswers;
  }

  setDelay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Answers successful writers, now or after the delay. */
  answer(waiting: readonly Done[]): void {
    if (this.#delayMs < DELAY_MS_MIN) {
      for (const done of waiting) done();
      return;
    }
    this.#delayedAnswers += waiting.length;
    const handle = this.#timers.setTimer(this.#delayMs, () => {
      this.#held.delete(handle);
      for (const done of waiting) done();
    });
    this.#held.set(handle, waiting);
  }

  /** Answers all that are held back. */
  release(): void {
    this.#delayMs = 0;
    for (const [handle, waiting] of this.#held) {
      this.#timers.clearTimer(handle);
      for (const done of waiting) done();
    }
    this.#held.clear();
  }
}
