/**
 * Whether the engine takes writes. `failed` is for good: after a failed write or sync of a log or MANIFEST nothing may
 * be assumed of what was not yet acknowledged, and nothing is tried again (FAULTS E7). Reads go on.
 */
import { LsmError } from './errors.ts';

export type EngineStatus = 'open' | 'failed' | 'closed';
export type FailureListener = (error: LsmError) => void;

export class Health {
  #status: EngineStatus = 'open';
  #error: LsmError | undefined;
  readonly #listeners: FailureListener[] = [];

  get status(): EngineStatus {
    return this.#status;
  }

  /** Why writes are refused now, `undefined` while they are taken. */
  get refusal(): LsmError | undefined {
    if (this.#status === 'open') return undefined;
    if (this.#status === 'closed') return new LsmError('LSM_CLOSED', 'the engine is closed');
    return this.#error;
  }

  /** The first call counts; listeners are called once. Answers the error that writers are to get. */
  fail(cause: unknown, what: string): LsmError {
    if (this.#error !== undefined) return this.#error;
    const error = new LsmError('LSM_DURABILITY_LOST', `${what}; the engine takes no more writes`, { cause });
    this.#error = error;
    if (this.#status === 'open') this.#status = 'failed';
    for (const listener of this.#listeners) listener(error);
    return error;
  }

  get failure(): LsmError | undefined {
    return this.#error;
  }

  /** Called at once if the engine has failed already. */
  onFailure(listener: FailureListener): void {
    if (this.#error !== undefined) listener(this.#error);
    else this.#listeners.push(listener);
  }

  close(): void {
    this.#status = 'closed';
  }

  /** Throws LSM_CLOSED. */
  assertReadable(): void {
    if (this.#status === 'closed') throw new LsmError('LSM_CLOSED', 'the engine is closed');
  }
}
