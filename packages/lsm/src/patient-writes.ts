/**
 * Writes for callers that would rather wait than be refused: what meets LSM_BUSY is kept, in order, until a memtable
 * was flushed. What comes while something waits, waits behind it.
 */
import type { LsmError } from './errors.ts';
import type { Done } from './file-system/file-system.ts';
import type { Durability } from './options.ts';
import type { WritePath } from './write-path.ts';
import type { WriteBatch } from './write-batch.ts';

interface WaitingWrite {
  readonly batch: WriteBatch;
  readonly durability: Durability;
  readonly done: Done;
}

export class PatientWrites {
  readonly #path: WritePath;
  #waiting: WaitingWrite[] = [];

  constructor(path: WritePath) {
    this.#path = path;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** As `WritePath.commit`, but never LSM_BUSY. */
  write(batch: WriteBatch, durability: Durability, done: Done): void {
    if (this.#waiting.length > 0 || !this.#commit(batch, durability, done))
      this.#waiting.push({ batch: batch.clone(), durability, done });
  }

  /** There is room again. What does not find any stays as it is: large batches are not copied over and over. */
  resume(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#commit(next.batch, next.durability, next.done)) continue;
      this.#waiting.unshift(next);
      return;
    }
  }

  /** False when there was no room; `done` is not called then. */
  #commit(batch: WriteBatch, durability: Durability, done: Done): boolean {
    let isRefused = false;
    this.#path.commit(batch, durability, (error) => {
      if ((error as LsmError | undefined)?.code === 'LSM_BUSY') isRefused = true;
      else done(error);
    });
    return !isRefused;
  }

  /** Gives all that wait the error: they certainly did not happen. */
  refuse(error: LsmError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { done } of waiting) done(error);
  }
}
