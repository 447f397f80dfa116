/** Makes background jobs out of sealed memtables and compaction plans: numbers, salts and options in, plain data out. */
import type { Memtable } from '../memtable/memtable.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Random } from '../timers.ts';
import type { CompactJob, FlushJob, TableSalt } from './job.ts';
import type { CompactionPlan } from './picker.ts';

export interface JobMakerDependencies {
  readonly directory: string;
  readonly options: ResolvedOptions;
  readonly random: Random;
  readonly newFileNumber: () => number;
}

export class JobMaker {
  readonly #dependencies: JobMakerDependencies;
  #jobs = 0;

  constructor(dependencies: JobMakerDependencies) {
    this.#dependencies = dependencies;
  }

  flush(memtable: Memtable, snapshots: readonly number[]): FlushJob {
    return {
      ...this.#base(snapshots, 1),
      type: 'flush',
      arena: memtable.arena,
      arenaBytes: memtable.bytesUsed,
    };
  }

  /** `generosity` is raised by retries: a job that ran out of outputs gets more. */
  compact(plan: CompactionPlan, snapshots: readonly number[], generosity: number): CompactJob {
    const tables = plan.runs.flat();
    const bytes = tables.reduce((sum, table) => sum + table.sizeBytes, 0);
    const outputs = (Math.ceil(bytes / this.#dependencies.options.tableSizeBytes) * 2 + 4) * generosity;
    return {
      ...this.#base(snapshots, outputs),
      type: 'compact',
      runs: plan.runs.map((run) => run.map(({ number, sizeBytes, salt }) => ({ fileNumber: number, sizeBytes, salt }))),
      bottommost: plan.bottommost,
    };
  }

  #base(snapshots: readonly number[], outputs: number) {
    const { directory, options } = this.#dependencies;
    const { codec, blockSizeBytes, bloomBitsPerKey, tableSizeBytes, mergeOperatorName } = options;
    return {
      id: ++this.#jobs,
      directory,
      output: { codec, blockSizeBytes, bloomBitsPerKey, tableSizeBytes },
      snapshots,
      mergeOperatorName: mergeOperatorName === '' ? undefined : mergeOperatorName,
      outputs: Array.from({ length: outputs }, () => ({
        fileNumber: this.#dependencies.newFileNumber(),
        salt: this.#salt(),
      })),
    };
  }

  #salt(): TableSalt {
    return [this.#dependencies.random.uint32(), this.#dependencies.random.uint32()];
  }
}
