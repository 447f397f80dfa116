/** Numbers about an engine, for metrics and tests. */
import type { EngineParts } from './engine-parts.ts';
import type { EngineStatus } from './health.ts';
import { compactionDebtBytes } from './compaction/picker.ts';
import type { ReadCounters } from './sstable/read-counters.ts';

export interface EngineStats {
  readonly state: EngineStatus;
  /** Message of the background failure that goes on, if one does. */
  readonly degraded: string | undefined;
  readonly lastSequence: number;
  readonly memtableBytes: number;
  readonly sealedMemtables: number;
  readonly levels: readonly { readonly tables: number; readonly sizeBytes: number }[];
  readonly compactionDebtBytes: number;
  /** How long answers to writes are held back now. */
  readonly writeDelayMs: number;
  readonly delayedAnswers: number;
  /** Writes of the promise calls that wait for room. */
  readonly waitingWrites: number;
  readonly log: { readonly syncs: number; readonly writes: number; readonly bytesWritten: number };
  readonly background: {
    readonly flushes: number;
    readonly compactions: number;
    readonly moves: number;
    readonly failures: number;
    readonly bytesRead: number;
    readonly bytesWritten: number;
    /** worker_threads.threadId of the last job; 0 is the main thread. */
    readonly lastThreadId: number;
  };
  readonly reads: Readonly<ReadCounters>;
  readonly blockCacheBytes: number;
  readonly openCursors: number;
  readonly openSnapshots: number;
  readonly versionsHeld: number;
  /** Files that nothing needs and that could not be removed; the next open tries again. */
  readonly filesNotRemoved: number;
}

export function engineStats(parts: EngineParts, openCursors: number): EngineStats {
  const {
    health,
    background,
    tree,
    versions,
    options,
    stall,
    logs,
    remover,
    counters,
    blocks,
    snapshots,
    patientWrites,
  } = parts;
  const version = versions.current;
  return {
    state: health.status,
    degraded: background.degraded?.message,
    lastSequence: tree.lastSequence,
    memtableBytes: tree.active.bytesUsed,
    sealedMemtables: tree.sealed.length,
    levels: version.levels.map((level, number) => ({
      tables: level.length,
      sizeBytes: version.levelSizeBytes(number),
    })),
    compactionDebtBytes: compactionDebtBytes(version, options),
    writeDelayMs: stall.delayMs,
    delayedAnswers: stall.delayedAnswers,
    waitingWrites: patientWrites.waiting,
    log: logs.statistics,
    background: { ...background.counters },
    reads: { ...counters },
    blockCacheBytes: blocks.sizeBytes,
    openCursors,
    openSnapshots: snapshots.size,
    versionsHeld: versions.versionsHeld,
    filesNotRemoved: remover.failures,
  };
}
