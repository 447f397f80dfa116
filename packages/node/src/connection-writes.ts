/**
 * The writes of one connection: which are under way, so that a command on all keys can wait for them, and the last one that was
 * acknowledged, which WAIT asks about.
 */
import type { Consistency, WriteOutcome } from '@kvd/replication';

export interface LastWrite {
  readonly key: Uint8Array;
  /** Encoded version vector of the record after it. */
  readonly context: Uint8Array;
  readonly consistency: Consistency;
}

export class ConnectionWrites {
  last: LastWrite | undefined;
  #underWay = 0;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.#underWay++;
  }

  /** After the client was answered: what waited for that answer may have begun a write of its own. */
  end(key: Uint8Array, consistency: Consistency, outcome: WriteOutcome): void {
    if (outcome.status === 'ok' && outcome.result.applied) this.last = { key, context: outcome.context, consistency };
    if (--this.#underWay > 0 || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** At once when no write is under way. */
  whenSettled(go: () => void): void {
    if (this.#underWay === 0) go();
    else this.#waiting.push(go);
  }
}
