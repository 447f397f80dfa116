/** The clock of the process. */
import type { Clock } from '../runtime.ts';

export class NodeClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }
}
