/**
 * The file of a table: reads blocks and checks them, each time. The descriptor is opened at the first read and may be
 * closed between any two; the next read opens the file again, so that a bound on open files never ends an iterator.
 */
import { CODEC_NONE, CODEC_SNAPPY, uncompress } from '../compression.ts';
import type { TableSalt } from '../compaction/job.ts';
import { LsmError } from '../errors.ts';
import { errorCode } from '../file-system/file-error.ts';
import type { File, FileSystem } from '../file-system/file-system.ts';
import { ioError } from '../io-error.ts';
import {
  BLOCK_TRAILER_BYTES,
  type BlockHandle,
  blockChecksum,
  decodeFooter,
  FOOTER_BYTES,
  type Footer,
  saltChecksum,
} from './format.ts';
import type { ReadCounters } from './read-counters.ts';

export interface TableFileDependencies {
  readonly fileSystem: FileSystem;
  readonly path: string;
  /** As the MANIFEST has them. */
  readonly sizeBytes: number;
  readonly salt: TableSalt;
  readonly counters: ReadCounters;
  /** Called each time that the file has been opened. */
  readonly onOpen?: () => void;
}

/** Blocks up to this size are read through one buffer of all tables: reads are synchronous, it is never in use twice. */
const SHARED_BUFFER_BYTES = 64 * 1024;
const sharedBuffer = Buffer.allocUnsafeSlow(SHARED_BUFFER_BYTES);

export class TableFile {
  readonly path: string;
  readonly #dependencies: TableFileDependencies;
  readonly #saltChecksum: number;
  #file: File | undefined;

  constructor(dependencies: TableFileDependencies) {
    this.path = dependencies.path;
    this.#dependencies = dependencies;
    this.#saltChecksum = saltChecksum(dependencies.salt);
  }

  /** Checks the file's size, footer and salt. Throws LSM_CORRUPTION, LSM_INCOMPATIBLE_FORMAT, LSM_IO. */
  readFooter(): Footer {
    const { sizeBytes, salt } = this.#dependencies;
    const found = this.#opened().size();
    if (found !== sizeBytes || sizeBytes < FOOTER_BYTES) {
      throw this.#damaged('size', `has ${found} bytes, expected ${sizeBytes}`, 0);
    }
    const bytes = Buffer.allocUnsafe(FOOTER_BYTES);
    this.#read(bytes, sizeBytes - FOOTER_BYTES);
    const footer = decodeFooter(bytes, this.path);
    if (footer.salt[0] !== salt[0] || footer.salt[1] !== salt[1]) {
      throw this.#damaged('salt', 'has the salt of another table', sizeBytes - FOOTER_BYTES);
    }
    return footer;
  }

  /** The uncompressed bytes of a block, in memory of their own. Throws LSM_CORRUPTION, LSM_IO. */
  readBlock(handle: BlockHandle): Buffer {
    const { offset, length } = handle;
    const total = length + BLOCK_TRAILER_BYTES;
    if (offset + total > this.#dependencies.sizeBytes)
      throw this.#damaged('block', 'has a block behind its end', offset);
    const raw = total <= SHARED_BUFFER_BYTES ? sharedBuffer.subarray(0, total) : Buffer.allocUnsafeSlow(total);
    this.#read(raw, offset);
    const expected = raw.readUInt32LE(length + 1);
    const found = blockChecksum(this.#saltChecksum, offset, raw.subarray(0, length + 1));
    if (found !== expected)
      throw this.#damaged('block', `has a block with checksum ${found}, expected ${expected}`, offset);
    this.#dependencies.counters.blocksRead++;
    return this.#unpack(raw[length] as number, raw.subarray(0, length), offset);
  }

  /** Closes the descriptor; the next read opens it again. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  #unpack(codec: number, stored: Buffer, offset: number): Buffer {
    if (codec !== CODEC_NONE) return this.#uncompress(codec, stored, offset);
    if (stored.buffer !== sharedBuffer.buffer) return stored;
    const own = Buffer.allocUnsafeSlow(stored.length);
    own.set(stored);
    return own;
  }

  #uncompress(codec: number, stored: Buffer, offset: number): Buffer {
    try {
      return uncompress(codec, stored);
    } catch (cause) {
      if (codec === CODEC_SNAPPY) throw this.#damaged('block', 'has a block that cannot be decoded', offset, cause);
      throw cause;
    }
  }

  #opened(): File {
    if (this.#file !== undefined) return this.#file;
    const { fileSystem, onOpen } = this.#dependencies;
    try {
      this.#file = fileSystem.open(this.path, 'read');
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') throw this.#damaged('missing', 'is not there', 0, cause);
      throw ioError(cause, 'open', this.path);
    }
    onOpen?.();
    return this.#file;
  }

  #read(target: Buffer, position: number): void {
    const file = this.#opened();
    let count: number;
    try {
      count = file.read(target, position);
    } catch (cause) {
      throw ioError(cause, 'read', this.path);
    }
    this.#dependencies.counters.bytesRead += count;
    if (count === target.length) return;
    const what = `read ${count} of ${target.length} bytes of ${this.path} at ${position}`;
    throw new LsmError('LSM_IO', what, { file: this.path, offset: position, kind: 'short-read' });
  }

  #damaged(kind: string, what: string, offset: number, cause?: unknown): LsmError {
    return new LsmError('LSM_CORRUPTION', `${this.path} ${what} (offset ${offset})`, {
      cause,
      file: this.path,
      offset,
      kind,
    });
  }
}
