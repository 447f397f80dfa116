/** Builds the parts of an engine out of a directory: lock, recovery, first MANIFEST and log, and what works on them. */
import { Background } from './background.ts';
import { BlockCache } from './cache/block-cache.ts';
import { TableCache } from './cache/table-cache.ts';
import { cleanUp } from './clean-up.ts';
import type { EngineLog } from './engine-log.ts';
import { LsmError } from './errors.ts';
import { tableFileName } from './file-names.ts';
import { FileRemover } from './file-remover.ts';
import type { DirectoryLock, FileSystem } from './file-system/file-system.ts';
import { Health } from './health.ts';
import { ArenaPool } from './memtable/arena-pool.ts';
import type { ResolvedOptions } from './options.ts';
import { PatientWrites } from './patient-writes.ts';
import { type OpenTableOf, ReadPath } from './read-path.ts';
import { type Recovered, type RecoveryReport, recover } from './recovery.ts';
import { SnapshotList } from './snapshot.ts';
import { createReadCounters, type ReadCounters } from './sstable/read-counters.ts';
import type { TaskRunner } from './task-runner/task-runner.ts';
import type { Random, Timers } from './timers.ts';
import { Tree } from './tree.ts';
import type { VersionEdit } from './version/version-edit.ts';
import { VersionSet } from './version/version-set.ts';
import { LogQueue } from './wal/log-queue.ts';
import { WritePath } from './write-path.ts';
import { WriteStall } from './write-stall.ts';

/** What an engine needs of the world. Whatever is given is not closed by the engine. */
export interface EngineDependencies {
  readonly fileSystem: FileSystem;
  readonly timers: Timers;
  readonly random: Random;
  readonly tasks: TaskRunner;
  /** Told of what an operator should know: doubt about the log's tail, failed background work. */
  readonly log?: EngineLog | undefined;
}

export interface EngineParts {
  readonly directory: string;
  readonly dependencies: EngineDependencies;
  readonly options: ResolvedOptions;
  readonly lock: DirectoryLock;
  readonly health: Health;
  readonly remover: FileRemover;
  readonly versions: VersionSet;
  readonly tables: TableCache;
  readonly blocks: BlockCache;
  readonly counters: ReadCounters;
  readonly tree: Tree;
  readonly logs: LogQueue;
  readonly stall: WriteStall;
  readonly snapshots: SnapshotList;
  readonly writes: WritePath;
  readonly patientWrites: PatientWrites;
  readonly reads: ReadPath;
  readonly background: Background;
  readonly recovery: RecoveryReport;
}

/** Takes the directory and recovers it. Throws LSM_LOCKED, LSM_CORRUPTION, LSM_INCOMPATIBLE_FORMAT, LSM_IO, LSM_OPTIONS. */
export async function openParts(
  directory: string,
  options: ResolvedOptions,
  dependencies: EngineDependencies,
): Promise<EngineParts> {
  const lock = await takeLock(directory, dependencies);
  try {
    return await openLocked(directory, options, dependencies, lock);
  } catch (error) {
    await lock.release();
    throw asLsmError(error, directory);
  }
}

async function takeLock(directory: string, { fileSystem, random }: EngineDependencies): Promise<DirectoryLock> {
  const token = Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
  try {
    fileSystem.mkdir(directory);
    return await fileSystem.lock(directory, token);
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'EBUSY') throw asLsmError(cause, directory);
    throw new LsmError('LSM_LOCKED', `${directory} is open elsewhere: ${(cause as Error).message}`, {
      cause,
      file: directory,
    });
  }
}

function asLsmError(error: unknown, directory: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (error instanceof LsmError || typeof code !== 'string' || !code.startsWith('E') || code.startsWith('ERR_'))
    return error;
  const ours = code === 'ENOSPC' || code === 'EDQUOT' ? 'LSM_NO_SPACE' : 'LSM_IO';
  return new LsmError(ours, `${directory} cannot be opened: ${(error as Error).message}`, {
    cause: error,
    file: directory,
  });
}

async function openLocked(
  directory: string,
  options: ResolvedOptions,
  dependencies: EngineDependencies,
  lock: DirectoryLock,
): Promise<EngineParts> {
  const { fileSystem, random, tasks } = dependencies;
  const blocks = new BlockCache(options.blockCacheSizeBytes);
  const counters = createReadCounters();
  const tables = new TableCache({ fileSystem, directory, counters, blockCache: blocks }, options.openTablesMax);
  const open: OpenTableOf = (table) => tables.get(table);
  try {
    const recovered = await recover({ fileSystem, directory, random, tasks, options, open });
    return await build({ directory, options, dependencies, lock, blocks, tables, counters, open }, recovered);
  } catch (error) {
    tables.close();
    throw error;
  }
}

interface Base {
  readonly directory: string;
  readonly options: ResolvedOptions;
  readonly dependencies: EngineDependencies;
  readonly lock: DirectoryLock;
  readonly blocks: BlockCache;
  readonly tables: TableCache;
  readonly counters: ReadCounters;
  readonly open: OpenTableOf;
}

/** What writes: the MANIFEST in force and the first log, both new. */
interface Writers {
  readonly health: Health;
  readonly stall: WriteStall;
  readonly remover: FileRemover;
  readonly versions: VersionSet;
  readonly logs: LogQueue;
}

async function build(base: Base, recovered: Recovered): Promise<EngineParts> {
  const writers = await startWriters(base, recovered);
  const { directory, dependencies } = base;
  const { versions, logs, remover } = writers;
  try {
    cleanUp(dependencies.fileSystem, directory, remover, {
      tables: new Set(versions.current.tables().map(({ number }) => number)),
      logNumber: logs.currentNumber,
      manifestNumber: versions.manifestNumber,
    });
    if (recovered.report.tailDoubt)
      dependencies.log?.(`${directory} was not closed: what was not synced may be missing`, 'warning');
    return assemble(base, writers, recovered);
  } catch (error) {
    logs.close();
    versions.close();
    throw error;
  }
}

async function startWriters(
  { directory, dependencies, lock, tables }: Base,
  { state, report }: Recovered,
): Promise<Writers> {
  const { fileSystem, timers } = dependencies;
  const health = new Health();
  const stall = new WriteStall(timers);
  const remover = new FileRemover(fileSystem, directory, dependencies.log);
  const onTableUnused = (number: number) => {
    // After close the directory may belong to another opener, who finds the file an orphan.
    if (health.status !== 'closed') remover.remove(tableFileName(number), () => tables.remove(number));
  };
  const versions = new VersionSet({ ...state, logs: [] }, { fileSystem, directory, lock, remover, onTableUnused });
  let logs: LogQueue | undefined;
  try {
    // A log may only exist once CURRENT does: without CURRENT it would mean that CURRENT was lost.
    if (report.isNew) await applied(versions, {});
    logs = new LogQueue({ fileSystem, directory, timers, health, stall, remover }, versions.newFileNumber());
    await applied(versions, { lastSequence: state.lastSequence, logs: logs.liveLogs(0) });
    return { health, stall, remover, versions, logs };
  } catch (error) {
    logs?.close();
    versions.close();
    throw error;
  }
}

function assemble(base: Base, writers: Writers, { state, report }: Recovered): EngineParts {
  const { directory, options, open, tables } = base;
  const { fileSystem, timers, random, tasks } = base.dependencies;
  const { health, versions, logs } = writers;
  const arenas = new ArenaPool(options.memtableSizeBytes, options.sealedMemtablesMax + 1);
  const tree = new Tree({ versions, arenas, random }, state.lastSequence, logs.currentNumber);
  const snapshots = new SnapshotList();
  const reads = new ReadPath(tree, open, options.mergeOperatorName);
  const writes = new WritePath({ tree, logs, health, options, onSealed: () => background.poke() });
  const patientWrites = new PatientWrites(writes);
  const background = new Background({
    ...{ fileSystem, directory, timers, random, tasks, tree, snapshots, options, open },
    ...writers,
    log: base.dependencies.log,
    evict: (number) => tables.remove(number),
    onRoom: () => patientWrites.resume(),
  });
  health.onFailure((error) => {
    logs.abandon(error);
    patientWrites.refuse(error);
  });
  background.poke();
  return { ...base, ...writers, tree, snapshots, reads, writes, patientWrites, background, recovery: report };
}

function applied(versions: VersionSet, edit: VersionEdit): Promise<void> {
  return new Promise((resolve, reject) => {
    versions.apply(edit, (error) => (error === undefined ? resolve() : reject(error)));
  });
}
