/**
 * From a batch to the log and the memtable, in one synchronous step: when `commit` returns, every read sees the batch.
 * The answer comes when the batch is as durable as asked (wal/log-queue.ts), or later while compaction is behind
 * (write-stall.ts).
 *
 * A full memtable is sealed together with its log. A batch above a quarter of a memtable gets both for itself. An empty
 * memtable is never sealed, for its flush would make no table: when a batch does not fit into it, it gets a larger arena
 * and keeps its log.
 */
import { LsmError } from './errors.ts';
import type { Done } from './file-system/file-system.ts';
import type { Health } from './health.ts';
import { EMPTY_ARENA_BYTES, ENTRY_OVERHEAD_BYTES_MAX } from './memtable/memtable.ts';
import type { Durability, ResolvedOptions } from './options.ts';
import type { Tree } from './tree.ts';
import type { LogQueue } from './wal/log-queue.ts';
import { BatchReader, type WriteBatch } from './write-batch.ts';

export interface WritePathDependencies {
  readonly tree: Tree;
  readonly logs: LogQueue;
  readonly health: Health;
  readonly options: ResolvedOptions;
  /** Called when a memtable was sealed. */
  readonly onSealed: () => void;
}

export class WritePath {
  readonly #dependencies: WritePathDependencies;
  readonly #reader = new BatchReader();
  readonly #largeBytes: number;

  constructor(dependencies: WritePathDependencies) {
    this.#dependencies = dependencies;
    this.#largeBytes = dependencies.options.memtableSizeBytes / 4;
  }

  /** False when a commit would be refused with LSM_BUSY, should it need a new memtable. */
  get hasRoom(): boolean {
    return this.#dependencies.tree.sealed.length < this.#dependencies.options.sealedMemtablesMax;
  }

  /**
   * `done` is called once: with an error when the batch was refused (LSM_BUSY, LSM_CLOSED: certainly nothing happened)
   * or its durability is unknown (LSM_DURABILITY_LOST). The batch may be changed when `commit` returns.
   */
  commit(batch: WriteBatch, durability: Durability, done: Done): void {
    const refusal = this.#dependencies.health.refusal;
    if (refusal !== undefined) {
      done(refusal);
      return;
    }
    if (batch.count === 0) {
      this.#dependencies.logs.wait(durability, done);
      return;
    }
    const bytes = batch.byteLength + batch.count * ENTRY_OVERHEAD_BYTES_MAX;
    const problem = this.#apply(batch, bytes);
    if (problem !== undefined) done(problem);
    else this.#dependencies.logs.wait(durability, done);
  }

  /** Seals the active memtable, if it holds anything. */
  seal(): LsmError | undefined {
    if (this.#dependencies.tree.active.entries === 0) return undefined;
    return this.#guard(() => this.#rotate(0));
  }

  #apply(batch: WriteBatch, bytes: number): LsmError | undefined {
    const isLarge = bytes > this.#largeBytes;
    const refusal = this.#makeRoom(bytes, isLarge);
    if (refusal !== undefined) return refusal;
    const { tree, logs } = this.#dependencies;
    const first = tree.lastSequence + 1;
    const payload = batch.payload();
    try {
      logs.append(payload, first, batch.count);
    } catch (error) {
      return this.#fail(error);
    }
    this.#insert(payload, first);
    tree.advance(batch.count);
    return isLarge && this.hasRoom ? this.#guard(() => this.#rotate(0)) : undefined;
  }

  #makeRoom(bytes: number, isLarge: boolean): LsmError | undefined {
    const { tree } = this.#dependencies;
    const { active } = tree;
    const fits = bytes <= active.bytesFree;
    const isEmpty = active.entries === 0;
    if (fits && !(isLarge && !isEmpty)) return undefined;
    if (isEmpty) return this.#guard(() => tree.enlargeEmpty(bytes + EMPTY_ARENA_BYTES));
    if (!this.hasRoom) return new LsmError('LSM_BUSY', 'too many memtables wait for their flush; try again later');
    return this.#guard(() => this.#rotate(bytes + EMPTY_ARENA_BYTES));
  }

  #rotate(bytesMin: number): void {
    const { tree, logs } = this.#dependencies;
    const logNumber = tree.versions.newFileNumber();
    logs.rotate(logNumber);
    tree.rotate(logNumber, bytesMin);
    this.#dependencies.onSealed();
  }

  #insert(payload: Buffer, firstSequence: number): void {
    const memtable = this.#dependencies.tree.active;
    const reader = this.#reader.reset(payload);
    for (let sequence = firstSequence; reader.next(); sequence++) {
      memtable.add(payload, reader.key, reader.value, sequence, reader.kind);
    }
  }

  /** Whatever the log throws, the engine has failed: what is in the file is unknown. */
  #guard(work: () => void): LsmError | undefined {
    try {
      work();
      return undefined;
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(cause: unknown): LsmError {
    return this.#dependencies.health.fail(cause, 'the log could not be written');
  }
}
