/**
 * The tables that one job writes: opened under the numbers that the job was given, cut between user keys, synced, and
 * deleted again when the job fails.
 */
import { LsmError } from '../errors.ts';
import { tableFileName } from '../file-names.ts';
import type { File, FileSystem } from '../file-system/file-system.ts';
import { ioError } from '../io-error.ts';
import { TableWriter } from '../sstable/table-writer.ts';
import type { Job, TableOutput } from './job.ts';

interface OpenOutput {
  readonly number: number;
  readonly salt: TableOutput['salt'];
  readonly path: string;
  readonly file: File;
  readonly writer: TableWriter;
}

export class JobOutputs {
  readonly tables: TableOutput[] = [];
  readonly #job: Job;
  readonly #fileSystem: FileSystem;
  readonly #created: string[] = [];
  #current: OpenOutput | undefined;
  /** Where the failing call was: for the error. */
  #path: string;

  constructor(job: Job, fileSystem: FileSystem) {
    this.#job = job;
    this.#fileSystem = fileSystem;
    this.#path = job.directory;
  }

  /** Entries of all tables, the unfinished one included. */
  get entries(): number {
    const finished = this.tables.reduce((sum, table) => sum + table.entries, 0);
    return finished + (this.#current?.writer.entries ?? 0);
  }

  /** Throws LSM_COMPACTION when the job has no more file numbers, LSM_IO, LSM_NO_SPACE. */
  add(key: Buffer, value: Buffer): void {
    try {
      this.#current ??= this.#open();
      this.#current.writer.add(key, value);
    } catch (error) {
      throw ioError(error, 'write', this.#path);
    }
  }

  /** To be called between two user keys: the next one starts a new table if this one is large enough. */
  betweenKeys(): void {
    const current = this.#current;
    if (current === undefined || this.#job.type === 'flush') return;
    if (current.writer.sizeBytesEstimate >= this.#job.output.tableSizeBytes) this.#finishTable(current);
  }

  /** Finishes the last table and makes all names durable. */
  finish(): void {
    if (this.#current !== undefined) this.#finishTable(this.#current);
    if (this.tables.length === 0) return;
    this.#path = this.#job.directory;
    this.#guard('sync', () => this.#fileSystem.syncDirectory(this.#job.directory));
  }

  /** Deletes all that was written. What cannot be deleted is an orphan, which the next open finds. */
  abandon(): void {
    quietly(() => this.#current?.file.close());
    for (const path of this.#created) quietly(() => this.#fileSystem.unlink(path));
  }

  #open(): OpenOutput {
    const output = this.#job.outputs[this.tables.length];
    if (output === undefined) {
      throw new LsmError(
        'LSM_COMPACTION',
        `job ${this.#job.id} needs more than its ${this.tables.length} output tables`,
      );
    }
    const path = `${this.#job.directory}/${tableFileName(output.fileNumber)}`;
    this.#path = path;
    const file = this.#fileSystem.open(path, 'create');
    this.#created.push(path);
    const writer = new TableWriter(file, { ...this.#job.output, salt: output.salt });
    return { number: output.fileNumber, salt: output.salt, path, file, writer };
  }

  #finishTable(output: OpenOutput): void {
    this.#guard('write', () => {
      const summary = output.writer.finish();
      this.#current = undefined;
      output.file.close();
      this.tables.push({ fileNumber: output.number, salt: output.salt, ...summary });
    });
  }

  #guard(action: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      throw ioError(error, action, this.#path);
    }
  }
}

/** For clean-up after a failure: the first error is the one that counts. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // Left behind on purpose: the engine's next open moves files that no version names to the trash.
  }
}
