/**
 * The lock of a directory between processes, without flock, which Node does not have.
 *
 * - Linux: an abstract unix socket named from the device and inode of the directory decides. The kernel frees it when
 *   the process dies, however it dies, so whoever has the socket may take over a `LOCK` file left behind.
 * - Elsewhere: the `LOCK` file decides, created exclusively; one whose process is gone is taken over.
 * - Two containers on one volume do not see each other's sockets. There the later opener takes the `LOCK` file, and the
 *   earlier one finds another token in it at its next `check()` and must stop.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DirectoryLock } from './file-system.ts';
import {
  decodeLockHolder,
  directoryBusy,
  encodeLockHolder,
  LOCK_FILE_NAME,
  type LockHolder,
} from './directory-lock.ts';
import { errorCode } from './file-error.ts';

/** Directories locked by this process (device and inode): the pid in the file cannot tell us from ourselves. */
const heldHere = new Set<string>();

export class NodeDirectoryLock implements DirectoryLock {
  readonly #directory: string;
  readonly #identity: string;
  readonly #ownerToken: string;
  readonly #socket: net.Server | undefined;
  #isReleased = false;

  /** Rejects with `EBUSY` when another opener, here or in another process, has the directory. */
  static async take(directory: string, ownerToken: string, abstractSockets: boolean): Promise<NodeDirectoryLock> {
    const identity = directoryIdentity(directory);
    if (heldHere.has(identity)) throw directoryBusy(directory, readHolder(directory));
    heldHere.add(identity);
    let socket: net.Server | undefined;
    try {
      if (abstractSockets) socket = await bindAbstractSocket(directory, identity);
      else refuseLiveHolder(directory);
      writeLockFile(directory, { ownerToken, pid: process.pid, hostname: hostname() });
      return new NodeDirectoryLock(directory, identity, ownerToken, socket);
    } catch (error) {
      heldHere.delete(identity);
      socket?.close();
      throw error;
    }
  }

  private constructor(directory: string, identity: string, ownerToken: string, socket: net.Server | undefined) {
    this.#directory = directory;
    this.#identity = identity;
    this.#ownerToken = ownerToken;
    this.#socket = socket;
  }

  check(): void {
    const holder = readHolder(this.#directory);
    if (holder?.ownerToken !== this.#ownerToken) throw directoryBusy(this.#directory, holder);
  }

  /** The file goes before the socket: once the socket is free the file may be the next opener's. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (readHolder(this.#directory)?.ownerToken === this.#ownerToken) {
      fs.rmSync(join(this.#directory, LOCK_FILE_NAME), { force: true });
    }
    const socket = this.#socket;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
    heldHere.delete(this.#identity);
  }
}

function directoryIdentity(directory: string): string {
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  return `${dev}-${ino}`;
}

function bindAbstractSocket(directory: string, identity: string): Promise<net.Server> {
  const server = net.createServer((connection) => connection.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(errorCode(error) === 'EADDRINUSE' ? directoryBusy(directory, readHolder(directory)) : error);
    });
    server.listen({ path: `\0kvd-lsm-${identity}`, exclusive: true }, () => resolve(server));
    server.unref();
  });
}

function refuseLiveHolder(directory: string): void {
  const holder = readHolder(directory);
  // Our own pid is a process of the past (a container's pid 1): this process's locks are in `heldHere`.
  if (holder === undefined || holder.pid === process.pid) return;
  if (holder.hostname !== hostname() || isAlive(holder.pid)) throw directoryBusy(directory, holder);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

/** Exclusive first; a file left behind is replaced whole by a rename, so that readers never see half of one. */
function writeLockFile(directory: string, holder: LockHolder): void {
  const path = join(directory, LOCK_FILE_NAME);
  const text = encodeLockHolder(holder);
  try {
    fs.writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const temporary = `${path}.${process.pid}.tmp`;
    fs.writeFileSync(temporary, text, { mode: 0o600 });
    fs.renameSync(temporary, path);
  }
}

function readHolder(directory: string): LockHolder | undefined {
  try {
    return decodeLockHolder(fs.readFileSync(join(directory, LOCK_FILE_NAME), 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
