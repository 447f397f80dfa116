/**
 * Group commit over the logs of an engine: one write at the end of each turn, at most one sync in flight, and what
 * arrives while it runs shares the next. A log is sealed before the next begins and synced before the next is, so that
 * nothing in log n + 1 is acknowledged as durable before all of log n is.
 *
 *   sealed, oldest first ──► current
 *   [n-1] [n]                [n+1]      syncs go from left to right
 */
import { strict as assert } from 'node:assert';
import type { LsmError } from '../errors.ts';
import { logFileName } from '../file-names.ts';
import type { Done, FileSystem } from '../file-system/file-system.ts';
import type { FileRemover } from '../file-remover.ts';
import type { Health } from '../health.ts';
import type { Durability } from '../options.ts';
import type { Timers } from '../timers.ts';
import type { LogState } from '../version/version-edit.ts';
import type { WriteStall } from '../write-stall.ts';
import { RECORD_CLEAN_SHUTDOWN, RECORD_MARKER, RECORD_SEAL } from './log-format.ts';
import { GROUP_BYTES_MAX, type GroupBuffer, LogWriter } from './log-writer.ts';

/** A sync that nothing follows is told by a marker of its own within this time. */
export const MARKER_DELAY_MS = 40;
const GROUP_BUFFER_BYTES = 128 * 1024;

export interface LogQueueDependencies {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly timers: Timers;
  readonly health: Health;
  readonly stall: WriteStall;
  readonly remover: FileRemover;
}

interface SealedLog {
  readonly writer: LogWriter;
  /** Writers that wait for its sync. */
  readonly waiting: Done[];
}

export class LogQueue {
  readonly #dependencies: LogQueueDependencies;
  readonly #group: GroupBuffer = { bytes: Buffer.allocUnsafeSlow(GROUP_BUFFER_BYTES) };
  #current: LogWriter;
  #sealed: SealedLog[] = [];
  /** Sealed, synced and closed logs whose entries are not yet in tables. */
  #closed: LogState[] = [];
  #obsoleteBelow = 0;
  /** Writers that wait for the write of the group. */
  #waitingForWrite: Done[] = [];
  /** Writers that wait for the next sync of the current log. */
  #waitingForSync: Done[] = [];
  /** Writers that the sync in flight will answer. */
  #waitingForFlight: Done[] = [];
  #syncInFlight = false;
  #turnScheduled = false;
  #markerArmed = false;
  #nextSequence = 1;
  #syncs = 0;
  #writes = 0;
  #bytesWritten = 0;

  /** Creates the first log; its name is durable on return. */
  constructor(dependencies: LogQueueDependencies, logNumber: number) {
    this.#dependencies = dependencies;
    this.#current = this.#create(logNumber, undefined);
  }

  get currentNumber(): number {
    return this.#current.logNumber;
  }

  get statistics(): { readonly syncs: number; readonly writes: number; readonly bytesWritten: number } {
    return { syncs: this.#syncs, writes: this.#writes, bytesWritten: this.#bytesWritten };
  }

  /** Frames a batch; nothing is called back before the turn ends, save by a `memory` write. Throws what the disk throws. */
  append(payload: Buffer, firstSequence: number, count: number): void {
    const writtenBefore = this.#current.written;
    this.#current.appendBatch(payload, firstSequence, count);
    this.#nextSequence = firstSequence + count;
    this.#countWrite(writtenBefore);
    if (this.#current.groupLength > GROUP_BYTES_MAX) this.#writeGroup();
    this.#scheduleTurn();
  }

  /** Calls `done` once all that was appended is as durable as asked. */
  wait(durability: Durability, done: Done): void {
    if (durability === 'memory') {
      this.#dependencies.stall.answer([done]);
      return;
    }
    if (durability === 'sync') this.#waitingForSync.push(done);
    else this.#waitingForWrite.push(done);
    this.#scheduleTurn();
  }

  /** Seals the current log and starts the next. Throws what the disk throws. */
  rotate(logNumber: number): void {
    const old = this.#current;
    old.appendMark(RECORD_SEAL, this.#nextSequence);
    this.#writeGroup();
    this.#current = this.#create(logNumber, old);
    this.#sealed.push({ writer: old, waiting: this.#waitingForSync });
    this.#waitingForSync = [];
    this.#scheduleTurn();
  }

  /** Writes the clean-shutdown record and calls `done` when it is on disk. */
  finish(done: Done): void {
    try {
      this.#current.appendMark(RECORD_CLEAN_SHUTDOWN, this.#nextSequence);
    } catch (error) {
      done(this.#fail(error, 'the write of the log failed'));
      return;
    }
    this.wait('sync', done);
  }

  /** Logs from `logNumberMin` on with what is known to be durable of them, for the MANIFEST. */
  liveLogs(logNumberMin: number): LogState[] {
    const open = [...this.#sealed.map((log) => log.writer), this.#current];
    const states = open.map((log) => ({ number: log.logNumber, durableLength: log.durable }));
    return [...this.#closed, ...states].filter((log) => log.number >= logNumberMin);
  }

  /** Removes logs whose entries are in durable tables, as soon as they are not in use. */
  removeBelow(logNumber: number): void {
    this.#obsoleteBelow = logNumber;
    this.#removeObsolete();
  }

  /** Gives all waiting writers the error. Called through `Health.fail` by whatever part fails. */
  abandon(error: LsmError): void {
    const waiting = [
      this.#waitingForWrite,
      this.#waitingForFlight,
      ...this.#sealed.map((log) => log.waiting),
      this.#waitingForSync,
    ];
    this.#waitingForWrite = [];
    this.#waitingForFlight = [];
    this.#waitingForSync = [];
    this.#sealed = this.#sealed.map(({ writer }) => ({ writer, waiting: [] }));
    // Not now: the writer that met the failure is still inside its call.
    this.#dependencies.timers.defer(() => {
      for (const writers of waiting) for (const done of writers) done(error);
    });
  }

  close(): void {
    for (const { writer } of this.#sealed) writer.close();
    this.#sealed = [];
    this.#current.close();
  }

  #create(logNumber: number, previous: LogWriter | undefined): LogWriter {
    const { fileSystem, directory } = this.#dependencies;
    const file = fileSystem.open(`${directory}/${logFileName(logNumber)}`, 'create');
    const header = {
      logNumber,
      previousLogNumber: previous?.logNumber ?? 0,
      previousFinalLength: previous?.end ?? 0,
      previousDurableLength: previous?.durable ?? 0,
    };
    const writer = new LogWriter(file, header, this.#group);
    fileSystem.syncDirectory(directory);
    return writer;
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#dependencies.timers.defer(() => {
      this.#turnScheduled = false;
      this.#endTurn();
    });
  }

  /** While a sync runs, a group that only waits for the next sync is left to grow. */
  #endTurn(): void {
    if (this.#dependencies.health.failure !== undefined) return;
    if (this.#syncInFlight && this.#waitingForWrite.length === 0) return;
    try {
      this.#writeGroup();
    } catch (error) {
      this.#fail(error, 'the write of the log failed');
      return;
    }
    // The sync first: those who are answered may append more, which this sync must not answer for.
    this.#startSync();
    this.#answerWritten();
  }

  #writeGroup(): void {
    const writtenBefore = this.#current.written;
    this.#current.writeGroup();
    this.#countWrite(writtenBefore);
  }

  #countWrite(writtenBefore: number): void {
    if (this.#current.written === writtenBefore) return;
    this.#writes++;
    this.#bytesWritten += this.#current.written - writtenBefore;
  }

  #answerWritten(): void {
    if (this.#waitingForWrite.length === 0) return;
    const waiting = this.#waitingForWrite;
    this.#waitingForWrite = [];
    this.#dependencies.stall.answer(waiting);
  }

  #startSync(): void {
    if (this.#syncInFlight || this.#dependencies.health.failure !== undefined) return;
    const oldest = this.#sealed[0];
    if (oldest === undefined && this.#waitingForSync.length === 0) return;
    this.#syncInFlight = true;
    this.#syncs++;
    if (oldest !== undefined) {
      oldest.writer.sync((error) => this.#endSync(error, oldest));
      return;
    }
    assert.equal(this.#current.groupLength, 0, 'a sync must cover all that its writers framed');
    this.#waitingForFlight = this.#waitingForSync;
    this.#waitingForSync = [];
    this.#current.sync((error) => this.#endSync(error, undefined));
  }

  #endSync(error: Error | undefined, sealed: SealedLog | undefined): void {
    this.#syncInFlight = false;
    if (this.#dependencies.health.failure !== undefined) return;
    if (error !== undefined && error !== null) {
      this.#fail(error, 'the sync of the log failed');
      return;
    }
    try {
      if (sealed !== undefined) this.#retire(sealed.writer);
    } catch (thrown) {
      this.#fail(thrown, 'the log could not be closed');
      return;
    }
    const waiting = sealed?.waiting ?? this.#waitingForFlight;
    if (sealed === undefined) this.#waitingForFlight = [];
    this.#armMarker();
    if (waiting.length > 0) this.#dependencies.stall.answer(waiting);
    this.#endTurn();
  }

  #retire(writer: LogWriter): void {
    writer.close();
    this.#sealed.shift();
    this.#closed.push({ number: writer.logNumber, durableLength: writer.durable });
    this.#removeObsolete();
  }

  #removeObsolete(): void {
    for (const { number } of this.#closed) {
      if (number < this.#obsoleteBelow) this.#dependencies.remover.remove(logFileName(number));
    }
    this.#closed = this.#closed.filter((log) => log.number >= this.#obsoleteBelow);
  }

  /** One timer for many syncs: it never fires later than MARKER_DELAY_MS after the last of them. */
  #armMarker(): void {
    if (this.#markerArmed) return;
    this.#markerArmed = true;
    this.#dependencies.timers.setTimer(MARKER_DELAY_MS, () => {
      this.#markerArmed = false;
      this.#writeMarker();
    });
  }

  #writeMarker(): void {
    if (this.#dependencies.health.refusal !== undefined || !this.#current.durableUntold) return;
    this.#current.appendMark(RECORD_MARKER, this.#nextSequence);
    this.#endTurn();
  }

  #fail(cause: unknown, what: string): LsmError {
    return this.#dependencies.health.fail(cause, what);
  }
}
