/** Timers of the event loop. They keep the process alive: what stops a node clears its own. */
import type { TimerHandle, Timers } from '../runtime.ts';

/** Node fires longer timers after 1 ms. */
const DELAY_MS_MAX = 0x7fffffff;

export class NodeTimers implements Timers {
  set(delayMs: number, callback: () => void): TimerHandle {
    return setTimeout(callback, Math.min(Math.max(Math.ceil(delayMs), 0), DELAY_MS_MAX));
  }

  clear(handle: TimerHandle): void {
    clearTimeout(handle as NodeJS.Timeout);
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}
