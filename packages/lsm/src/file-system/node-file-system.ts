/**
 * The real disk. Files are made with mode 0600 and directories with 0700: what is stored is nobody else's business.
 * Asynchronous reads are held below the size of libuv's thread pool, so that a sync never queues behind reads alone.
 */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DirectoryLock, File, FileSystem, OpenMode } from './file-system.ts';
import { errorCode } from './file-error.ts';
import { NodeDirectoryLock } from './node-directory-lock.ts';
import { CallLimit, NodeFile } from './node-file.ts';

export interface NodeFileSystemOptions {
  /**
   * Asynchronous reads in the thread pool at once. More: quicker cold reads; at the pool's size (4 unless
   * UV_THREADPOOL_SIZE says otherwise) reads delay commits.
   * @default 2
   */
  readonly asyncReadsMax?: number;
  /**
   * Whether a directory is locked by an abstract unix socket (Linux) or by the lock file and the life of its process.
   * @default true on Linux
   */
  readonly abstractSockets?: boolean;
}

const FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', create: 'wx+', 'read-write': 'r+' };

export class NodeFileSystem implements FileSystem {
  readonly #reads: CallLimit;
  readonly #abstractSockets: boolean;

  constructor(options: NodeFileSystemOptions = {}) {
    this.#reads = new CallLimit(options.asyncReadsMax ?? 2);
    this.#abstractSockets = options.abstractSockets ?? process.platform === 'linux';
  }

  open(path: string, mode: OpenMode): File {
    return new NodeFile(fs.openSync(path, FLAGS[mode], 0o600), path, this.#reads);
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  unlink(path: string): void {
    fs.unlinkSync(path);
  }

  link(existing: string, path: string): void {
    fs.linkSync(existing, path);
  }

  mkdir(path: string): void {
    const first = fs.mkdirSync(path, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    const top = resolve(first);
    for (let made = resolve(path); ; made = dirname(made)) {
      this.syncDirectory(dirname(made));
      if (made === top) return;
    }
  }

  readdir(path: string): string[] {
    return fs.readdirSync(path).sort();
  }

  size(path: string): number | undefined {
    try {
      return fs.statSync(path).size;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  syncDirectory(path: string): void {
    const descriptor = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  lock(directory: string, ownerToken: string): Promise<DirectoryLock> {
    return NodeDirectoryLock.take(directory, ownerToken, this.#abstractSockets);
  }
}
