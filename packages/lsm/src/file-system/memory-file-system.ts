/**
 * A disk in memory which can lose power. What was not synced may then be there, be gone, be torn, or be there in another
 * order, as on a real one; `memory-inode.ts` and `memory-directory.ts` say how. One instance is one machine's disk.
 *
 * Equal calls and equal random numbers give equal disks: nothing here reads a clock or draws a number of its own.
 */
import { posix } from 'node:path';
import type { DirectoryLock, File, FileSystem, OpenMode } from './file-system.ts';
import {
  decodeLockHolder,
  directoryBusy,
  encodeLockHolder,
  LOCK_FILE_NAME,
  type LockHolder,
} from './directory-lock.ts';
import { fileError } from './file-error.ts';
import { crashDirectories, MemoryDirectory, type NameOperation } from './memory-directory.ts';
import { type Disk, type FileCall, type FileCounters, MemoryFile, type FileOperation } from './memory-file.ts';
import { MemoryInode } from './memory-inode.ts';

export type { FileCall, FileCounters, FileOperation } from './memory-file.ts';

export interface MemoryFileSystemOptions {
  /** Runs the completion of a `sync` or `readAsync` after the present call stack; a simulator picks the moment. */
  readonly deferAsync: (completion: () => void, call: FileCall) => void;
  /** Asked before each operation; what it returns is thrown, or given to `done`. May crash the disk. */
  readonly onCall?: (call: FileCall) => Error | undefined;
}

export interface CrashOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /**
   * `drop-all`: power loss, nothing unsynced survives. `random`: power loss, anything may. `keep-all`: only the process
   * dies; the page cache lives, and what was not synced still is not.
   */
  readonly mode: 'drop-all' | 'keep-all' | 'random';
}

export interface CrashReport {
  /** Written and not synced when the disk crashed, and how much of it is gone. */
  readonly unsyncedBytes: number;
  readonly droppedBytes: number;
  /** Writes of which a part survived. */
  readonly tornWrites: number;
  /** Creates, renames, links and unlinks that did not happen after all. */
  readonly droppedNames: number;
}

interface SyncFault {
  readonly pathSuffix: string;
  readonly dropPages: boolean;
}

export class MemoryFileSystem implements FileSystem {
  readonly counters: FileCounters = { syncs: 0, reads: 0, writes: 0, bytesRead: 0, bytesWritten: 0 };
  /** Replace it at will: the next operation asks the new one. */
  onCall: ((call: FileCall) => Error | undefined) | undefined;
  readonly #deferAsync: MemoryFileSystemOptions['deferAsync'];
  readonly #directories = new Map<string, MemoryDirectory>();
  readonly #dirty = new Set<MemoryInode>();
  readonly #locks = new Map<string, string>();
  readonly #disk: Disk;
  #syncFaults: SyncFault[] = [];
  #sequence = 0;
  #crashes = 0;
  #openFiles = 0;

  constructor(options: MemoryFileSystemOptions) {
    this.#deferAsync = options.deferAsync;
    this.onCall = options.onCall;
    this.#directories.set('/', new MemoryDirectory());
    this.#directories.set('.', new MemoryDirectory());
    this.#disk = this.#makeDisk();
  }

  /** Files opened and not closed, since the last crash. */
  get openFiles(): number {
    return this.#openFiles;
  }

  get crashes(): number {
    return this.#crashes;
  }

  /** The next sync of a file whose path ends so fails with `EIO`; its unsynced pages go at once, or at the next crash. */
  failNextSync(pathSuffix: string, options: { readonly dropPages: boolean }): void {
    this.#syncFaults.push({ pathSuffix, dropPages: options.dropPages });
  }

  /** All handles die (`EBADF`), locks are free, and what was under way asynchronously never comes back. */
  crash(options: CrashOptions): CrashReport {
    this.#crashes++;
    this.#openFiles = 0;
    this.#locks.clear();
    this.#syncFaults = [];
    const report = { unsyncedBytes: 0, droppedBytes: 0, tornWrites: 0, droppedNames: 0 };
    if (options.mode === 'keep-all') {
      for (const inode of this.#dirty) report.unsyncedBytes += inode.unsyncedBytes();
      return report;
    }
    const random = options.mode === 'random' ? options.random : undefined;
    for (const inode of this.#dirty) {
      const { unsyncedBytes, droppedBytes, tornWrites } = inode.crash(random);
      report.unsyncedBytes += unsyncedBytes;
      report.droppedBytes += droppedBytes;
      report.tornWrites += tornWrites;
    }
    this.#dirty.clear();
    report.droppedNames = crashDirectories(this.#directories.values(), random);
    return report;
  }

  open(path: string, mode: OpenMode): File {
    this.#enter('open', path);
    const { directory, name } = this.#locate('open', path);
    let inode = directory.names.get(name);
    if (mode === 'create') {
      if (inode !== undefined || directory.directories.has(name)) throw fileError('EEXIST', 'open', path);
      inode = new MemoryInode();
      this.#apply(directory, [{ name, inode }]);
    }
    if (inode === undefined) throw fileError(directory.directories.has(name) ? 'EISDIR' : 'ENOENT', 'open', path);
    this.#openFiles++;
    return new MemoryFile(this.#disk, inode, path, mode !== 'read');
  }

  /** Files only: a directory cannot be renamed here (`ENOENT`). */
  rename(from: string, to: string): void {
    this.#enter('rename', from);
    const source = this.#locate('rename', from);
    const target = this.#locate('rename', to);
    const inode = source.directory.names.get(source.name);
    if (inode === undefined) throw fileError('ENOENT', 'rename', from);
    if (target.directory.directories.has(target.name)) throw fileError('EISDIR', 'rename', to);
    if (inode === target.directory.names.get(target.name) && source.directory === target.directory) return;
    const remove = { name: source.name, inode: undefined };
    const add = { name: target.name, inode };
    if (source.directory === target.directory) this.#apply(source.directory, [remove, add]);
    else this.#apply(source.directory, [remove], this.#apply(target.directory, [add]));
  }

  unlink(path: string): void {
    this.#enter('unlink', path);
    const { directory, name } = this.#locate('unlink', path);
    if (!directory.names.has(name)) throw fileError('ENOENT', 'unlink', path);
    this.#apply(directory, [{ name, inode: undefined }]);
  }

  link(existing: string, path: string): void {
    this.#enter('link', existing);
    const source = this.#locate('link', existing);
    const inode = source.directory.names.get(source.name);
    if (inode === undefined) throw fileError('ENOENT', 'link', existing);
    const { directory, name } = this.#locate('link', path);
    if (directory.names.has(name) || directory.directories.has(name)) throw fileError('EEXIST', 'link', path);
    this.#apply(directory, [{ name, inode }]);
  }

  mkdir(path: string): void {
    this.#enter('mkdir', path);
    this.#makeDirectory(normalize(path));
  }

  readdir(path: string): string[] {
    this.#enter('readdir', path);
    const directory = this.#directory('readdir', path);
    return [...directory.names.keys(), ...directory.directories].sort();
  }

  size(path: string): number | undefined {
    this.#enter('size', path);
    const normal = normalize(path);
    const parent = this.#directories.get(posix.dirname(normal));
    return parent?.names.get(posix.basename(normal))?.size;
  }

  syncDirectory(path: string): void {
    this.#enter('syncDirectory', path);
    this.#directory('syncDirectory', path).sync();
  }

  async lock(path: string, ownerToken: string): Promise<DirectoryLock> {
    this.#enter('lock', path);
    const directory = this.#directory('lock', path);
    const key = normalize(path);
    if (this.#locks.has(key)) throw directoryBusy(path, readHolder(directory));
    this.#locks.set(key, ownerToken);
    writeHolder(directory, { ownerToken, pid: 1, hostname: 'memory' });
    return this.#lockHandle(key, directory, ownerToken);
  }

  #lockHandle(key: string, directory: MemoryDirectory, ownerToken: string): DirectoryLock {
    const life = this.#crashes;
    const isOurs = () => life === this.#crashes && readHolder(directory)?.ownerToken === ownerToken;
    return {
      check: () => {
        if (!isOurs()) throw directoryBusy(key, readHolder(directory));
      },
      release: async () => {
        if (!isOurs()) return;
        directory.names.delete(LOCK_FILE_NAME);
        directory.durable.delete(LOCK_FILE_NAME);
        this.#locks.delete(key);
      },
    };
  }

  #makeDisk(): Disk {
    const system = this;
    return {
      counters: this.counters,
      get crashes() {
        return system.#crashes;
      },
      fault: (operation, path, bytes) => this.#fault(operation, path, bytes),
      complete: (call, completion) => this.#complete(call, completion),
      takeSyncFault: (path) => this.#takeSyncFault(path),
      changed: (inode) => void (inode.isDirty ? this.#dirty.add(inode) : this.#dirty.delete(inode)),
      handleClosed: () => void this.#openFiles--,
    };
  }

  #complete(call: FileCall, completion: () => void): void {
    const life = this.#crashes;
    this.#deferAsync(() => {
      if (life === this.#crashes) completion();
    }, call);
  }

  #takeSyncFault(path: string): SyncFault | undefined {
    if (this.#syncFaults.length === 0) return undefined;
    const index = this.#syncFaults.findIndex(({ pathSuffix }) => path.endsWith(pathSuffix));
    return index < 0 ? undefined : this.#syncFaults.splice(index, 1)[0];
  }

  #fault(operation: FileOperation, path: string, bytes: number | undefined): Error | undefined {
    if (this.onCall === undefined) return undefined;
    return this.onCall(bytes === undefined ? { operation, path } : { operation, path, bytes });
  }

  #enter(operation: FileOperation, path: string): void {
    const error = this.#fault(operation, path, undefined);
    if (error !== undefined) throw error;
  }

  #locate(operation: FileOperation, path: string): { directory: MemoryDirectory; name: string } {
    const normal = normalize(path);
    const directory = this.#directories.get(posix.dirname(normal));
    if (directory === undefined) throw fileError('ENOENT', operation, path);
    return { directory, name: posix.basename(normal) };
  }

  #directory(operation: FileOperation, path: string): MemoryDirectory {
    const directory = this.#directories.get(normalize(path));
    if (directory === undefined) throw fileError('ENOENT', operation, path);
    return directory;
  }

  #makeDirectory(path: string): void {
    if (this.#directories.has(path)) return;
    const parentPath = posix.dirname(path);
    this.#makeDirectory(parentPath);
    const parent = this.#directories.get(parentPath) as MemoryDirectory;
    const name = posix.basename(path);
    if (parent.names.has(name)) throw fileError('EEXIST', 'mkdir', path);
    parent.directories.add(name);
    this.#directories.set(path, new MemoryDirectory());
  }

  #apply(directory: MemoryDirectory, edits: NameOperation['edits'], requires?: NameOperation): NameOperation {
    const operation = { sequence: this.#sequence++, directory, edits, requires, isDurable: false };
    directory.apply(operation);
    return operation;
  }
}

function normalize(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function readHolder(directory: MemoryDirectory): LockHolder | undefined {
  const inode = directory.names.get(LOCK_FILE_NAME);
  if (inode === undefined) return undefined;
  const text = Buffer.alloc(inode.size);
  inode.read(text, 0);
  return decodeLockHolder(text.toString());
}

/** Past the journal: the lock file's durability is nobody's concern, and should not show in what a crash drops. */
function writeHolder(directory: MemoryDirectory, holder: LockHolder): void {
  const inode = new MemoryInode();
  inode.write(Buffer.from(encodeLockHolder(holder)), 0);
  inode.commit(inode.mark());
  directory.names.set(LOCK_FILE_NAME, inode);
  directory.durable.set(LOCK_FILE_NAME, inode);
}
