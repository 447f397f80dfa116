/**
 * The disk as the engine sees it: the only door to files. Calls are synchronous, except `File.sync`, which is what a
 * commit waits for, and `File.readAsync`. Nothing is durable before `sync` (file contents) and `syncDirectory` (names).
 *
 * Errors are those of Node: an `Error` with a `code` (`ENOENT`, `EEXIST`, `ENOSPC`, `EIO`, …).
 */

/** `read`: must exist. `create`: must not exist; read and write. `read-write`: must exist. */
export type OpenMode = 'read' | 'create' | 'read-write';

export type Done = (error?: Error) => void;

export interface File {
  /** Reads at `position` until `target` is full or the file ends; returns the bytes read. */
  read(target: Uint8Array, position: number): number;
  readAsync(target: Uint8Array, position: number, done: (error: Error | undefined, bytesRead: number) => void): void;
  /** Writes all of `bytes` at `position`, looping over short writes. `bytes` may be reused after return. */
  write(bytes: Uint8Array, position: number): void;
  /** fdatasync, off the main thread. After an error nothing about the unsynced bytes may be assumed, and sync is never retried. */
  sync(done: Done): void;
  /** fdatasync, blocking. */
  syncNow(): void;
  truncate(sizeBytes: number): void;
  size(): number;
  /** Closing twice is fine. Calls under way still complete; later ones fail with `EBADF`. */
  close(): void;
}

/** Held while an engine is open. */
export interface DirectoryLock {
  /** Throws if the lock is no longer ours (another opener took it). Called before each MANIFEST append. */
  check(): void;
  release(): Promise<void>;
}

export interface FileSystem {
  open(path: string, mode: OpenMode): File;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  link(existing: string, path: string): void;
  /** Creates the directory and its missing parents, mode 0700, durably (parents are synced); an existing one is fine. */
  mkdir(path: string): void;
  /** Names in the directory, sorted. */
  readdir(path: string): string[];
  /** Size of a file in bytes, `undefined` if there is none. */
  size(path: string): number | undefined;
  syncDirectory(path: string): void;
  /** Takes the directory for this opener by a file `LOCK` in it, or rejects with code `EBUSY` and the holder in the message. */
  lock(directory: string, ownerToken: string): Promise<DirectoryLock>;
}
