/** Twins of the engine's seams, for the tests of whoever uses it. */
export {
  MemoryFileSystem,
  type CrashOptions,
  type CrashReport,
  type MemoryFileSystemOptions,
} from './file-system/memory-file-system.ts';
export { ManualTimers } from './manual-timers.ts';
export { SeededRandom } from './seeded-random.ts';
export { InlineRunner } from './task-runner/inline-runner.ts';
