/**
 * CAUSAL ON: within one connection a read never shows less than what the connection has read or written before of the key
 * (read your writes, monotonic reads), whatever R is and whichever replica answers.
 *
 * For each key the session keeps the context that it has seen. A read must find a record that has seen all of it: replicas
 * are asked until the merge of their answers has, again and again until the time is over, and then the read fails; it is
 * never stale in silence. The table is bounded. Of a key that was dropped from it the session does not know what it has
 * seen; from then on, keys that are not in the table are read from all N owners, which must all be sure of their log.
 */
import { decodeRecordContext, leafBytes, murmur3, VersionVector } from '@kvd/replication';
import type { Consistency, ReadOutcome, WriteOperation, WriteOutcome } from '@kvd/replication';
import type { NodeServices, RequestOptions } from './services.ts';
import { wrappedServices } from './wrapped-services.ts';

/** Keys whose context a session remembers. */
const KEYS_MAX = 4096;
/** After an answer that was behind, all who can be reached having been asked. */
const RETRY_AFTER_MS = 20;
const HASH_SEED = 0x63617573;

export class CausalSession {
  /** In order of use, the latest last. */
  readonly #seen = new Map<string, VersionVector>();
  readonly #keysMax: number;
  #isForgetful = false;

  constructor(keysMax = KEYS_MAX) {
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Some key was dropped: what is not in the table may have been seen all the same. */
  get isForgetful(): boolean {
    return this.#isForgetful;
  }

  /** The same services, with the session's guarantees. */
  over(services: NodeServices): NodeServices {
    return services.isCausal === true ? services : causalServices(services, this);
  }

  read(
    services: NodeServices,
    key: Uint8Array,
    consistency: Consistency,
    done: (outcome: ReadOutcome) => void,
    options: RequestOptions | undefined,
  ): void {
    const name = nameOf(key);
    const deadlineMs = services.runtime.clock.monotonicMs() + consistency.timeoutMs;
    const settle = (outcome: ReadOutcome): void => {
      if (outcome.status === 'ok' && outcome.record !== undefined)
        this.#note(name, decodeRecordContext(outcome.record));
      done(outcome);
    };
    const includes = this.#seen.get(name);
    if (includes === undefined) {
      services.read(key, this.#isForgetful ? fromAllOwners(consistency) : consistency, settle, options);
      return;
    }
    const attempt = (timeoutMs: number): void =>
      services.read(key, { ...consistency, timeoutMs }, judge, { ...options, includes });
    const judge = (outcome: ReadOutcome): void => {
      const leftMs = deadlineMs - services.runtime.clock.monotonicMs() - RETRY_AFTER_MS;
      if (outcome.status === 'ok' || outcome.reason !== 'quorum' || leftMs < 1) settle(outcome);
      else services.runtime.timers.set(RETRY_AFTER_MS, () => attempt(Math.max(1, leftMs)));
    };
    attempt(consistency.timeoutMs);
  }

  write(
    services: NodeServices,
    key: Uint8Array,
    operation: WriteOperation,
    consistency: Consistency,
    done: (outcome: WriteOutcome) => void,
    options: RequestOptions | undefined,
  ): void {
    services.write(
      key,
      operation,
      consistency,
      (outcome) => {
        if (outcome.status === 'ok') this.#note(nameOf(key), VersionVector.decode(outcome.context));
        done(outcome);
      },
      options,
    );
  }

  #note(name: string, context: VersionVector): void {
    const before = this.#seen.get(name);
    this.#seen.delete(name);
    this.#seen.set(name, before === undefined ? context : before.join(context));
    if (this.#seen.size <= this.#keysMax) return;
    const [oldest] = this.#seen.keys();
    this.#seen.delete(oldest as string);
    this.#isForgetful = true;
  }
}

function fromAllOwners(consistency: Consistency): Consistency {
  return { ...consistency, r: consistency.n, pr: consistency.n };
}

/** Short whatever the key; two keys under one name would only wait for each other's writes in vain. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(leafBytes(murmur3(key, key.length, HASH_SEED))).toString('latin1');
}

function causalServices(services: NodeServices, session: CausalSession): NodeServices {
  return wrappedServices(services, {
    isCausal: true,
    read: (key, consistency, done, options) => session.read(services, key, consistency, done, options),
    write: (key, operation, consistency, done, options) =>
      session.write(services, key, operation, consistency, done, options),
  });
}
