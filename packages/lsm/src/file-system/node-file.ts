/**
 * An open file of the real disk. Invariant: the descriptor is closed only after the last asynchronous call on it has
 * come back, for a number freed earlier may already be another file's when the thread pool gets to it.
 */
import * as fs from 'node:fs';
import type { Done, File } from './file-system.ts';
import { errorCode, fileError } from './file-error.ts';

type ReadDone = (error: Error | undefined, bytesRead: number) => void;

/** Lets at most `max` calls into the thread pool at once; the rest wait in order of arrival. */
export class CallLimit {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(max: number) {
    this.#max = max;
  }

  enter(start: () => void): void {
    if (this.#running >= this.#max) {
      this.#waiting.push(start);
      return;
    }
    this.#running++;
    start();
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

export class NodeFile implements File {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #reads: CallLimit;
  #callsPending = 0;
  #closed = false;

  constructor(descriptor: number, path: string, reads: CallLimit) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#reads = reads;
  }

  read(target: Uint8Array, position: number): number {
    this.#assertOpen('read');
    let filled = 0;
    while (filled < target.length) {
      const count = readOnce(this.#descriptor, target, filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  readAsync(target: Uint8Array, position: number, done: ReadDone): void {
    if (this.#closed) {
      setImmediate(done, this.#badDescriptor('read'), 0);
      return;
    }
    this.#callsPending++;
    this.#reads.enter(() => {
      this.#readOn(target, 0, position, (error, bytesRead) => {
        this.#reads.leave();
        this.#callReturned();
        done(error, bytesRead);
      });
    });
  }

  write(bytes: Uint8Array, position: number): void {
    this.#assertOpen('write');
    let written = 0;
    while (written < bytes.length) written += writeOnce(this.#descriptor, bytes, written, position + written);
  }

  sync(done: Done): void {
    if (this.#closed) {
      setImmediate(done, this.#badDescriptor('fdatasync'));
      return;
    }
    this.#callsPending++;
    fs.fdatasync(this.#descriptor, (error) => {
      this.#callReturned();
      if (error) done(error);
      else done();
    });
  }

  syncNow(): void {
    this.#assertOpen('fdatasync');
    fs.fdatasyncSync(this.#descriptor);
  }

  truncate(sizeBytes: number): void {
    this.#assertOpen('ftruncate');
    fs.ftruncateSync(this.#descriptor, sizeBytes);
  }

  size(): number {
    this.#assertOpen('fstat');
    return fs.fstatSync(this.#descriptor).size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#callsPending === 0) fs.closeSync(this.#descriptor);
  }

  #readOn(target: Uint8Array, filled: number, position: number, done: ReadDone): void {
    if (filled === target.length) {
      done(undefined, filled);
      return;
    }
    const place = position + filled;
    fs.read(this.#descriptor, target, filled, target.length - filled, place, (error, count) => {
      if (error && error.code !== 'EINTR') done(error, filled);
      else if (!error && count === 0) done(undefined, filled);
      else this.#readOn(target, filled + (error ? 0 : count), position, done);
    });
  }

  #callReturned(): void {
    this.#callsPending--;
    if (this.#closed && this.#callsPending === 0) fs.closeSync(this.#descriptor);
  }

  #assertOpen(call: string): void {
    if (this.#closed) throw this.#badDescriptor(call);
  }

  #badDescriptor(call: string): Error {
    return fileError('EBADF', call, this.#path, 'file is closed');
  }
}

function readOnce(descriptor: number, target: Uint8Array, from: number, position: number): number {
  for (;;) {
    try {
      return fs.readSync(descriptor, target, from, target.length - from, position);
    } catch (error) {
      if (errorCode(error) !== 'EINTR') throw error;
    }
  }
}

/** What pwrite took, at least one byte: a kernel that takes none for ever must not hang the engine. */
function writeOnce(descriptor: number, bytes: Uint8Array, from: number, position: number): number {
  for (;;) {
    try {
      const count = fs.writeSync(descriptor, bytes, from, bytes.length - from, position);
      if (count > 0) return count;
    } catch (error) {
      if (errorCode(error) !== 'EINTR') throw error;
      continue;
    }
    throw fileError('EIO', 'write', `descriptor ${descriptor}`, 'nothing was written');
  }
}
