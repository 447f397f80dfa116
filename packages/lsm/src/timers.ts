/** The engine's share of the clock. Times are monotonic milliseconds; wall-clock time is never used. */
export interface Timers {
  monotonicMs(): number;
  setTimer(delayMs: number, callback: () => void): TimerHandle;
  clearTimer(handle: TimerHandle): void;
  /** Runs `callback` after the current turn of the event loop (setImmediate). */
  defer(callback: () => void): void;
}

export type TimerHandle = unknown;

/** Chance, seeded in tests. */
export interface Random {
  /** A uniform integer in [0, 2^32). */
  uint32(): number;
}
