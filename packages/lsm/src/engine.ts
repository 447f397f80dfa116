/**
 * An embedded ordered key-value store in one directory. This file is the surface: checks at the door, promises around
 * callbacks; the work is in write-path.ts, read-path.ts and background.ts.
 *
 * A write is visible to every read as soon as the call returns. It survives what its durability says once its promise is
 * fulfilled. After a failed write or sync of the log the engine is `failed`: reads go on, writes get
 * LSM_DURABILITY_LOST.
 */
import { Cursor, type RangeOptions, sequenceOf } from './cursor.ts';
import { type EngineDependencies, type EngineParts, openParts } from './engine-parts.ts';
import { engineStats, type EngineStats } from './engine-stats.ts';
import { LsmError } from './errors.ts';
import type { Done } from './file-system/file-system.ts';
import { NodeFileSystem } from './file-system/node-file-system.ts';
import type { EngineStatus, FailureListener } from './health.ts';
import { NodeRandom } from './node-random.ts';
import { nodeTimers } from './node-timers.ts';
import { checkDurability, type Durability, type EngineOptions, resolveOptions } from './options.ts';
import type { RecoveryReport } from './recovery.ts';
import type { Snapshot } from './snapshot.ts';
import { WorkerRunner } from './task-runner/worker-runner.ts';
import { checkKey, WriteBatch } from './write-batch.ts';

export interface ReadOptions {
  /** Read from this state. @default the newest */
  readonly snapshot?: Snapshot | undefined;
}

export interface WriteOptions {
  /** @default the engine's `durability` option */
  readonly durability?: Durability | undefined;
}

export interface IterateOptions extends RangeOptions {
  /** False gives empty keys. @default true */
  readonly keys?: boolean;
  /** False gives empty values. @default true */
  readonly values?: boolean;
}

/** Entries after which a walk lets the event loop turn. */
const ENTRIES_PER_TURN = 1000;
const EMPTY = Buffer.alloc(0);

export class Engine {
  readonly #parts: EngineParts;
  /** Made by the engine itself, so closed by it. */
  readonly #ownTasks: WorkerRunner | undefined;
  readonly #cursors = new Set<Cursor>();
  readonly #batch = new WriteBatch();
  #closing: Promise<void> | undefined;

  private constructor(parts: EngineParts, ownTasks: WorkerRunner | undefined) {
    this.#parts = parts;
    this.#ownTasks = ownTasks;
  }

  /**
   * Opens the directory, creating it if it is missing, and brings it to a state that may be served.
   * Rejects with LSM_OPTIONS, LSM_LOCKED, LSM_CORRUPTION, LSM_INCOMPATIBLE_FORMAT, LSM_IO, LSM_NO_SPACE.
   */
  static async open(
    path: string,
    options: EngineOptions = {},
    dependencies: Partial<EngineDependencies> = {},
  ): Promise<Engine> {
    if (typeof path !== 'string' || path === '') throw new TypeError('path must be a non-empty string');
    const resolved = resolveOptions(options);
    const ownTasks = dependencies.tasks === undefined ? new WorkerRunner() : undefined;
    const all: EngineDependencies = {
      fileSystem: dependencies.fileSystem ?? new NodeFileSystem(),
      timers: dependencies.timers ?? nodeTimers,
      random: dependencies.random ?? new NodeRandom(),
      tasks: dependencies.tasks ?? (ownTasks as WorkerRunner),
      log: dependencies.log,
    };
    try {
      return new Engine(await openParts(path, resolved, all), ownTasks);
    } catch (error) {
      await ownTasks?.close();
      throw error;
    }
  }

  /** What the last open found. */
  get recovery(): RecoveryReport {
    return this.#parts.recovery;
  }

  get state(): EngineStatus {
    return this.#parts.health.status;
  }

  /** Called once when the engine fails, with LSM_DURABILITY_LOST; at once if it has failed already. */
  onFailure(listener: FailureListener): void {
    this.#parts.health.onFailure(listener);
  }

  /** The value of `key`, `undefined` when absent. Rejects with LSM_CLOSED, LSM_IO, LSM_CORRUPTION. */
  async get(key: Uint8Array, options?: ReadOptions): Promise<Buffer | undefined> {
    return this.getSync(key, options);
  }

  /** As `get`, at once: reads the disk if it must. */
  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    checkKey(key);
    const { health, reads, tree } = this.#parts;
    health.assertReadable();
    return reads.get(asBuffer(key), sequenceOf(options?.snapshot, tree));
  }

  /** As `getSync`, with its errors given to `done`. In this version `done` has always run when the call returns. */
  lookup(key: Uint8Array, done: (error: Error | undefined, value: Buffer | undefined) => void): void {
    let value: Buffer | undefined;
    try {
      value = this.getSync(key);
    } catch (error) {
      done(error as Error, undefined);
      return;
    }
    done(undefined, value);
  }

  /** Sets `key`. Rejects with LSM_DURABILITY_LOST, LSM_CLOSED. */
  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#write(this.#batch.clear().put(key, value), options);
  }

  delete(key: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#write(this.#batch.clear().delete(key), options);
  }

  /** Gives `operand` to the merge operator. Throws LSM_OPTIONS when there is none. */
  merge(key: Uint8Array, operand: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#write(this.#batch.clear().merge(key, operand), options);
  }

  /** Applies all of the batch, or nothing. It may be changed when the call returns. */
  write(batch: WriteBatch, options?: WriteOptions): Promise<void> {
    return this.#write(batch, options);
  }

  /**
   * As `write`, without a promise. `done` runs once and must not throw: with nothing, with LSM_CLOSED or LSM_BUSY
   * (certainly nothing happened), or with LSM_DURABILITY_LOST. With durability `memory` it may run before the return.
   */
  commit(batch: WriteBatch, durability: Durability, done: Done): void {
    this.#checkMerges(batch);
    this.#parts.writes.commit(batch, durability, done);
  }

  /** Entries in key order. What it shows is the state at the first step. It steps synchronously, a turn at a time. */
  async *iterate(options: IterateOptions = {}): AsyncIterable<[Buffer, Buffer]> {
    const { keys = true, values = true } = options;
    using cursor = this.cursor(options);
    for (let entries = 1; cursor.next(); entries++) {
      yield [keys ? cursor.key : EMPTY, values ? cursor.value : EMPTY];
      // Promises alone would keep timers and sockets waiting.
      if (entries % ENTRIES_PER_TURN === 0) await this.#turn();
    }
  }

  /** A synchronous walk; the caller closes it. Throws LSM_CLOSED. */
  cursor(options: RangeOptions = {}): Cursor {
    const { health, reads, tree } = this.#parts;
    health.assertReadable();
    const cursor = new Cursor(options, { health, reads, tree, onClosed: (closed) => this.#cursors.delete(closed) });
    this.#cursors.add(cursor);
    return cursor;
  }

  /** Keeps the present state readable until it is released. */
  snapshot(): Snapshot {
    this.#parts.health.assertReadable();
    return this.#parts.snapshots.take(this.#parts.tree.lastSequence);
  }

  /** Writes what is in memory to tables. Rejects with LSM_COMPACTION, LSM_DURABILITY_LOST, LSM_CLOSED. */
  async flush(): Promise<void> {
    const { health, writes, background } = this.#parts;
    if (health.refusal !== undefined) throw health.refusal;
    const problem = writes.seal();
    if (problem !== undefined) throw problem;
    await called((done) => background.whenFlushed(done));
  }

  /** Fulfilled when no flush or compaction is left to do. Rejects with LSM_COMPACTION when they keep failing. */
  async settled(): Promise<void> {
    const { health, background } = this.#parts;
    if (health.refusal !== undefined) throw health.refusal;
    await called((done) => background.whenSettled(done));
  }

  stats(): EngineStats {
    return engineStats(this.#parts, this.#cursors.size);
  }

  /**
   * Takes no more calls, waits for the running job, marks the log as closed, and releases the directory. What was
   * committed before is durable when it is fulfilled. Closing twice is fine. Rejects with LSM_DURABILITY_LOST when the
   * last sync fails; all is released even so.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { health, patientWrites, background, logs, stall, versions, tables, lock } = this.#parts;
    const hadFailed = health.failure !== undefined;
    patientWrites.refuse(new LsmError('LSM_CLOSED', 'the engine is closed'));
    health.close();
    for (const cursor of [...this.#cursors]) cursor.close();
    await called((done) => background.stop(done)).catch(() => undefined);
    if (!hadFailed) await called((done) => logs.finish(done)).catch(() => undefined);
    stall.release();
    const problems = await releaseAll([
      () => logs.close(),
      () => versions.close(),
      () => tables.close(),
      () => this.#ownTasks?.close(),
      () => lock.release(),
    ]);
    const problem = hadFailed ? problems[0] : (health.failure ?? problems[0]);
    if (problem !== undefined) throw problem;
  }

  #write(batch: WriteBatch, options: WriteOptions | undefined): Promise<void> {
    this.#checkMerges(batch);
    const durability = options?.durability ?? this.#parts.options.durability;
    checkDurability(durability);
    return called((done) => this.#parts.patientWrites.write(batch, durability, done));
  }

  #checkMerges(batch: WriteBatch): void {
    if (!batch.hasMerges || this.#parts.options.mergeOperatorName !== '') return;
    throw new LsmError('LSM_OPTIONS', 'merge needs the option mergeOperatorName');
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#parts.dependencies.timers.defer(resolve));
  }
}

function called(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

/** Runs all, whatever fails; answers what did. */
async function releaseAll(steps: readonly (() => void | Promise<void>)[]): Promise<unknown[]> {
  const problems: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      problems.push(error);
    }
  }
  return problems;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
