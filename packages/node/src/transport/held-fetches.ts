/**
 * Questions of peers for records, held back while so much waits to go to the one who asks that the answer would only be dropped.
 * In the order in which they came. One whose asker has given up is let go unanswered.
 */
import type { FetchMessage } from '@kvd/replication';

export interface HeldFetch {
  readonly message: FetchMessage;
  readonly hybridTime: number;
  /** When the asker gives up, monotonic ms. */
  readonly deadline: number;
}

/** Of one connection; of more, the oldest are let go. */
const HELD_MAX = 16_384;

export class HeldFetches<Connection extends object> {
  readonly #held = new Map<Connection, HeldFetch[]>();

  has(connection: Connection): boolean {
    return this.#held.size > 0 && this.#held.has(connection);
  }

  add(connection: Connection, fetch: HeldFetch): void {
    const line = this.#held.get(connection);
    if (line === undefined) this.#held.set(connection, [fetch]);
    else {
      if (line.length >= HELD_MAX) line.shift();
      line.push(fetch);
    }
  }

  /** The next one that somebody still waits for. */
  take(connection: Connection, now: number): HeldFetch | undefined {
    if (this.#held.size === 0) return undefined;
    const line = this.#held.get(connection);
    if (line === undefined) return undefined;
    let fetch = line.shift();
    while (fetch !== undefined && fetch.deadline < now) fetch = line.shift();
    if (line.length === 0) this.#held.delete(connection);
    return fetch;
  }

  forget(connection: Connection): void {
    this.#held.delete(connection);
  }
}
