/**
 * Writes one log: records are framed into a group buffer and reach the file with one write for the whole group. A log
 * that exists is never appended to, and one whose write or sync failed is never touched again (FAULTS E6, E7).
 *
 *   0 ────── durable ────── written ────── end
 *            on disk        in the file    in the group buffer up to here
 */
import type { Done, File } from '../file-system/file-system.ts';
import { encodeLogHeader, LOG_HEADER_BYTES, LOG_NUMBER_MAX, type LogHeader } from './log-format.ts';
import { RECORD_BATCH, RECORD_HEADER_BYTES, writeRecordHeader } from './log-format.ts';

/** A record above this is written apart: copying it first would cost more than a second write. */
const APART_BYTES = 256 * 1024;
/** A group above this does not wait for the end of the turn. */
export const GROUP_BYTES_MAX = 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** The buffer in which groups are framed; one for all logs of an engine. */
export interface GroupBuffer {
  bytes: Buffer;
}

export class LogWriter {
  readonly logNumber: number;
  readonly #file: File;
  readonly #group: GroupBuffer;
  #groupLength = 0;
  #written = 0;
  #durable = 0;
  /** `durable` as the last framed record tells it. */
  #told = 0;

  /** `file` must be new and empty. The header is written at once. */
  constructor(file: File, header: LogHeader, group: GroupBuffer) {
    if (header.logNumber > LOG_NUMBER_MAX) throw new RangeError(`log number ${header.logNumber}`);
    this.logNumber = header.logNumber;
    this.#file = file;
    this.#group = group;
    file.write(encodeLogHeader(header), 0);
    this.#written = LOG_HEADER_BYTES;
  }

  /** Length of the log once the group is written. */
  get end(): number {
    return this.#written + this.#groupLength;
  }

  get written(): number {
    return this.#written;
  }

  get durable(): number {
    return this.#durable;
  }

  get groupLength(): number {
    return this.#groupLength;
  }

  /** True when the last sync is not yet told by any record: the idle marker's reason. */
  get durableUntold(): boolean {
    return this.#durable > this.#told;
  }

  /** Frames a batch. It reaches the file with the next `writeGroup`; a large one at once, the group before it. */
  appendBatch(payload: Buffer, firstSequence: number, count: number): void {
    if (payload.length > APART_BYTES) this.#writeApart(payload, firstSequence, count);
    else this.#frame(RECORD_BATCH, payload, firstSequence, count);
  }

  /** Frames a record that has no payload: marker, seal, clean shutdown. */
  appendMark(kind: number, nextSequence: number): void {
    this.#frame(kind, EMPTY, nextSequence, 0);
  }

  /** One write for all that was framed. A log that threw here must not be used again. */
  writeGroup(): void {
    if (this.#groupLength === 0) return;
    this.#file.write(this.#group.bytes.subarray(0, this.#groupLength), this.#written);
    this.#written += this.#groupLength;
    this.#groupLength = 0;
  }

  /** Makes durable what is written now. Never called again after an error. */
  sync(done: Done): void {
    const target = this.#written;
    this.#file.sync((error) => {
      if (error === undefined) this.#durable = target;
      done(error);
    });
  }

  close(): void {
    this.#file.close();
  }

  #frame(kind: number, payload: Buffer, firstSequence: number, count: number): void {
    const at = this.#groupLength;
    const end = at + RECORD_HEADER_BYTES + payload.length;
    this.#reserve(end);
    writeRecordHeader(this.#group.bytes, at, this.#fields(kind, firstSequence, count), payload);
    this.#group.bytes.set(payload, at + RECORD_HEADER_BYTES);
    this.#groupLength = end;
  }

  #writeApart(payload: Buffer, firstSequence: number, count: number): void {
    this.writeGroup();
    const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
    writeRecordHeader(header, 0, this.#fields(RECORD_BATCH, firstSequence, count), payload);
    this.#file.write(header, this.#written);
    this.#file.write(payload, this.#written + RECORD_HEADER_BYTES);
    this.#written += RECORD_HEADER_BYTES + payload.length;
  }

  #fields(kind: number, firstSequence: number, count: number) {
    this.#told = this.#durable;
    return { logNumber: this.logNumber, offset: this.end, kind, firstSequence, count, durableUpTo: this.#durable };
  }

  #reserve(length: number): void {
    if (length <= this.#group.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#group.bytes.length * 2));
    grown.set(this.#group.bytes.subarray(0, this.#groupLength), 0);
    this.#group.bytes = grown;
  }
}
