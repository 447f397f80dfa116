/** The real clock and timers. */
import type { TimerHandle, Timers } from './timers.ts';

/** Timers of Node. */
export const nodeTimers: Timers = {
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback): TimerHandle => setTimeout(callback, delayMs),
  clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
  defer: (callback) => void setImmediate(callback),
};
