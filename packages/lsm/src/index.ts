/** The public surface of @kvd/lsm. */
export { Cursor, type RangeOptions } from './cursor.ts';
export { Engine, type IterateOptions, type ReadOptions, type WriteOptions } from './engine.ts';
export type { EngineLog } from './engine-log.ts';
export type { EngineDependencies } from './engine-parts.ts';
export type { EngineStats } from './engine-stats.ts';
export { LsmError, type LsmErrorCode, type LsmErrorDetails } from './errors.ts';
export type { DirectoryLock, Done, File, FileSystem, OpenMode } from './file-system/file-system.ts';
export { NodeFileSystem } from './file-system/node-file-system.ts';
export type { EngineStatus, FailureListener } from './health.ts';
export type { MergeOperator } from './merge-operator.ts';
export { NodeRandom } from './node-random.ts';
export { nodeTimers } from './node-timers.ts';
export {
  type CodecName,
  DEFAULTS,
  type Durability,
  type EngineOptions,
  resolveOptions,
  type ResolvedOptions,
} from './options.ts';
export type { RecoveryReport } from './recovery.ts';
export type { Snapshot } from './snapshot.ts';
export type { Job, JobResult } from './compaction/job.ts';
export type { TaskRunner } from './task-runner/task-runner.ts';
export { WorkerRunner } from './task-runner/worker-runner.ts';
export type { Random, TimerHandle, Timers } from './timers.ts';
export { BATCH_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX, WriteBatch } from './write-batch.ts';
