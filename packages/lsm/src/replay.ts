/**
 * Replays logs: their batches go into memtables, and each full memtable into a table, so that what a log held is served
 * from a synced table only (the re-persist rule of docs/formats.md).
 */
import { checkJobResult } from './compaction/job-check.ts';
import type { JobResult } from './compaction/job.ts';
import { JobMaker } from './compaction/job-maker.ts';
import { LsmError } from './errors.ts';
import { ArenaPool } from './memtable/arena-pool.ts';
import { EMPTY_ARENA_BYTES, ENTRY_OVERHEAD_BYTES_MAX, Memtable } from './memtable/memtable.ts';
import type { RecoveryDependencies } from './recovery.ts';
import type { EngineState } from './version/engine-state.ts';
import type { TableMeta } from './version/version.ts';
import type { LogHistory } from './wal/log-history.ts';
import { isBatch } from './wal/log-reader.ts';
import { BatchReader } from './write-batch.ts';

/** After an unclean end the sequence goes on far beyond whatever was issued and lost: it is never issued twice. */
export const SEQUENCE_GAP = 2 ** 30;

/** Puts the batches of the logs into memtables, and each full memtable into a table. */
export class Replay {
  readonly #dependencies: RecoveryDependencies;
  readonly #maker: JobMaker;
  readonly #arenas: ArenaPool;
  readonly #reader = new BatchReader();
  readonly #tables: TableMeta[] = [];
  #state: EngineState;
  #memtable: Memtable | undefined;
  #nextFileNumber: number;
  #lastSequence: number;
  records = 0;
  entries = 0;

  constructor(dependencies: RecoveryDependencies, state: EngineState) {
    const { directory, options, random } = dependencies;
    this.#dependencies = dependencies;
    this.#state = state;
    this.#nextFileNumber = state.nextFileNumber;
    this.#lastSequence = state.lastSequence;
    this.#arenas = new ArenaPool(options.memtableSizeBytes, 1);
    this.#maker = new JobMaker({ directory, options, random, newFileNumber: () => this.#nextFileNumber++ });
  }

  async run(history: LogHistory): Promise<void> {
    let before = 0;
    for (const log of history.logs) {
      for (const record of log.records) {
        if (!isBatch(record)) continue;
        if (record.firstSequence <= before) throw outOfOrder(log.file, record.offset);
        before = record.firstSequence + record.count - 1;
        await this.#replay(record.payload, record.firstSequence, record.count);
      }
    }
    await this.#flush();
  }

  stateAfter(history: LogHistory): EngineState {
    const version = this.#state.version.apply(
      this.#tables.map((table) => ({ level: 0, table })),
      [],
    );
    const gap = history.isEmpty || history.cleanShutdown ? 0 : SEQUENCE_GAP;
    return { ...this.#state, version, nextFileNumber: this.#nextFileNumber, lastSequence: this.#lastSequence + gap };
  }

  async #replay(payload: Buffer, firstSequence: number, count: number): Promise<void> {
    const bytes = payload.length + count * ENTRY_OVERHEAD_BYTES_MAX;
    if (this.#memtable !== undefined && this.#memtable.bytesFree < bytes) await this.#flush();
    const seed = this.#dependencies.random.uint32();
    this.#memtable ??= new Memtable(this.#arenas.take(bytes + EMPTY_ARENA_BYTES), EMPTY_ARENA_BYTES, seed);
    const reader = this.#reader.reset(payload);
    let sequence = firstSequence;
    for (; reader.next(); sequence++) this.#memtable.add(payload, reader.key, reader.value, sequence, reader.kind);
    if (sequence !== firstSequence + count) {
      throw new LsmError('LSM_CORRUPTION', `a batch holds ${sequence - firstSequence} entries, not ${count}`, {
        kind: 'batch',
      });
    }
    this.#lastSequence = Math.max(this.#lastSequence, sequence - 1);
    this.records++;
    this.entries += count;
  }

  async #flush(): Promise<void> {
    const memtable = this.#memtable;
    if (memtable === undefined) return;
    this.#memtable = undefined;
    const job = this.#maker.flush(memtable, []);
    const result = await new Promise<JobResult>((resolve, reject) => {
      this.#dependencies.tasks.run(job, (error, outcome) => {
        if (outcome === undefined) reject(error ?? new Error('the task runner gave neither result nor error'));
        else resolve(outcome);
      });
    });
    const { fileSystem, open } = this.#dependencies;
    this.#tables.push(...checkJobResult(job, result, { fileSystem, open, entriesExpected: memtable.entries }));
    this.#arenas.give(memtable.arena);
  }
}

function outOfOrder(file: string, offset: number): LsmError {
  return new LsmError('LSM_CORRUPTION', `${file}: sequence numbers go back at ${offset}`, {
    file,
    offset,
    kind: 'wal-order',
  });
}
