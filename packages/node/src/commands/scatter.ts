/** One command over many keys: so many at a time, one answer. */
import type { RespValue } from '../resp/value.ts';

/** Keys of one command that are on their way at once: enough to fill a group commit, too few to flood a node. */
const AT_ONCE_MAX = 128;

/** Either a result or what to tell the client. */
export type Settled<Result> = (result: Result | undefined, failed?: RespValue) => void;

/**
 * Runs `each` for every item; `done` gets the results in order of the items, or the first failure, once nothing is under way.
 * After a failure no more is started.
 */
export function scatter<Item, Result>(
  items: readonly Item[],
  each: (item: Item, settled: Settled<Result>) => void,
  done: (results: readonly (Result | undefined)[], failed: RespValue | undefined) => void,
): void {
  const results = new Array<Result | undefined>(items.length);
  let next = 0;
  let underWay = 0;
  let isStarting = false;
  let failure: RespValue | undefined;
  const start = (index: number): void =>
    each(items[index] as Item, (result, failed) => {
      results[index] = result;
      failure ??= failed;
      underWay--;
      goOn();
    });
  const goOn = (): void => {
    // An answer may come within the call: the loop below goes on then.
    if (isStarting) return;
    isStarting = true;
    while (next < items.length && underWay < AT_ONCE_MAX && failure === undefined) {
      underWay++;
      start(next++);
    }
    isStarting = false;
    if (underWay === 0) done(results, failure);
  };
  goOn();
}
