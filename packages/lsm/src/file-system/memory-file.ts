/** An open file of the memory disk. It dies with the crash of its disk, and what it was waiting for never comes back. */
import type { Done, File } from './file-system.ts';
import { fileError } from './file-error.ts';
import type { MemoryInode } from './memory-inode.ts';

export type FileOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'rename'
  | 'unlink'
  | 'link'
  | 'mkdir'
  | 'readdir'
  | 'size'
  | 'syncDirectory'
  | 'lock';

/** A call about to be made: what fault injection and latency models see. `path` of a file is the one it was opened by. */
export interface FileCall {
  readonly operation: FileOperation;
  readonly path: string;
  /** Of a read or write: its length. */
  readonly bytes?: number;
}

/** What a file needs of its disk. */
export interface Disk {
  readonly counters: FileCounters;
  /** How often the disk has crashed: a handle of another life is dead. */
  readonly crashes: number;
  /** Asks the fault hook; an error is to be thrown or given to `done`. */
  fault(operation: FileOperation, path: string, bytes?: number): Error | undefined;
  /** Runs `completion` later, unless the disk crashes first. */
  complete(call: FileCall, completion: () => void): void;
  takeSyncFault(path: string): { readonly dropPages: boolean } | undefined;
  changed(inode: MemoryInode): void;
  handleClosed(): void;
}

export interface FileCounters {
  syncs: number;
  reads: number;
  writes: number;
  bytesRead: number;
  bytesWritten: number;
}

export class MemoryFile implements File {
  readonly #disk: Disk;
  readonly #inode: MemoryInode;
  readonly #path: string;
  readonly #writable: boolean;
  readonly #life: number;
  #closed = false;

  constructor(disk: Disk, inode: MemoryInode, path: string, writable: boolean) {
    this.#disk = disk;
    this.#inode = inode;
    this.#path = path;
    this.#writable = writable;
    this.#life = disk.crashes;
  }

  read(target: Uint8Array, position: number): number {
    this.#enter('read', target.length);
    return this.#readNow(target, position);
  }

  readAsync(target: Uint8Array, position: number, done: (error: Error | undefined, bytesRead: number) => void): void {
    const failure = this.#refusal('read', target.length);
    this.#disk.complete({ operation: 'read', path: this.#path, bytes: target.length }, () => {
      if (failure === undefined) done(undefined, this.#readNow(target, position));
      else done(failure, 0);
    });
  }

  write(bytes: Uint8Array, position: number): void {
    this.#enter('write', bytes.length);
    this.#assertWritable('write');
    if (bytes.length === 0) return;
    this.#inode.write(bytes, position);
    this.#disk.changed(this.#inode);
    this.#disk.counters.writes++;
    this.#disk.counters.bytesWritten += bytes.length;
  }

  sync(done: Done): void {
    const failure = this.#refusal('sync') ?? this.#startSync();
    const mark = this.#inode.mark();
    this.#disk.complete({ operation: 'sync', path: this.#path }, () => {
      const error = failure instanceof Error ? failure : this.#finishSync(mark, failure);
      if (error === undefined) done();
      else done(error);
    });
  }

  syncNow(): void {
    this.#enter('sync');
    const error = this.#finishSync(this.#inode.mark(), this.#startSync());
    if (error !== undefined) throw error;
  }

  truncate(sizeBytes: number): void {
    this.#enter('truncate');
    this.#assertWritable('truncate');
    if (sizeBytes === this.#inode.size) return;
    this.#inode.truncate(sizeBytes);
    this.#disk.changed(this.#inode);
  }

  size(): number {
    this.#enter('size');
    return this.#inode.size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#life !== this.#disk.crashes) return;
    this.#disk.handleClosed();
    const error = this.#disk.fault('close', this.#path);
    if (error !== undefined) throw error;
  }

  #readNow(target: Uint8Array, position: number): number {
    const count = this.#inode.read(target, position);
    this.#disk.counters.reads++;
    this.#disk.counters.bytesRead += count;
    return count;
  }

  #startSync(): { readonly dropPages: boolean } | undefined {
    this.#disk.counters.syncs++;
    return this.#disk.takeSyncFault(this.#path);
  }

  #finishSync(mark: number, fault: { readonly dropPages: boolean } | undefined): Error | undefined {
    if (fault === undefined) this.#inode.commit(mark);
    else this.#inode.failSync(mark, fault.dropPages);
    this.#disk.changed(this.#inode);
    return fault === undefined ? undefined : fileError('EIO', 'fdatasync', this.#path, 'i/o error');
  }

  #enter(operation: FileOperation, bytes?: number): void {
    const error = this.#refusal(operation, bytes);
    if (error !== undefined) throw error;
  }

  /** The hook comes first: it may crash the disk, and then this handle is dead. */
  #refusal(operation: FileOperation, bytes?: number): Error | undefined {
    const fault = this.#disk.fault(operation, this.#path, bytes);
    if (fault !== undefined) return fault;
    const isDead = this.#closed || this.#life !== this.#disk.crashes;
    return isDead ? fileError('EBADF', operation, this.#path, 'file is closed') : undefined;
  }

  #assertWritable(operation: FileOperation): void {
    if (!this.#writable) throw fileError('EBADF', operation, this.#path, 'file is open for reading');
  }
}
