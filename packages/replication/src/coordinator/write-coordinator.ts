/**
 * Runs client writes: reads contexts if it must, has the local replica coordinate, spreads the state, answers when W is met,
 * and sees to it that every owner ends with the write or with a hint (DESIGN §6).
 *
 * ```
 *  start ─► reading ─► coordinating ─► merged ─────────────► free
 *           R contexts   out.coordinate   replicate to all;    all settled,
 *           (preRead)                     finish at W          or the deadline
 * ```
 *
 * Invariants: one outcome per request, at the latest at its deadline. `failed` only before the local replica has the
 * operation (or when it says that it refused it): certainly nothing happened. `ok` only after W distinct nodes, the local
 * one among them only after its own sync, have said that they hold it. Events that fit no request in flight, or that have
 * been told before, change nothing.
 *
 * Any call of the sink may come back in at once with an event, even one that ends the request; therefore each loop over a
 * request's places looks whether the entry still serves the same stream.
 */
import { DeadlineQueue } from '../deadline-queue.ts';
import type { Millis, Reachability, WriteEffects } from '../effects.ts';
import type {
  FailureReason,
  FetchReplyMessage,
  NodeId,
  OperationResult,
  ReplicateMessage,
  ReplicateReplyMessage,
} from '../messages.ts';
import { type CoordinatorOptions, resolveCoordinatorOptions } from '../options.ts';
import { contextFetch, expectContexts, noteContext, readingState } from './context-read.ts';
import { newWriteCounters, type WriteCounters } from './counters.ts';
import { EntryTable } from './entry-table.ts';
import { siblingsLeft } from './siblings-left.ts';
import { isCovered, isOnItsWay, MADE, type Place, WriteEntry, type WriteRequest } from './write-entry.ts';
import { whyGivenUp, whyLate, whyNotRead, whyNotTried, whyStopped } from './write-failure.ts';
import { assignRoles, hintsOfTheBatch, localDurability, replicateMessage, takeFallback } from './write-plan.ts';

export type { WriteRequest } from './write-entry.ts';

export interface WriteCoordinatorDependencies {
  readonly self: NodeId;
  readonly options?: CoordinatorOptions;
  readonly reach: Reachability;
  readonly out: WriteEffects;
}

export class WriteCoordinator {
  readonly counters: WriteCounters = newWriteCounters();
  readonly #self: NodeId;
  readonly #options: Required<CoordinatorOptions>;
  readonly #reach: Reachability;
  readonly #out: WriteEffects;
  readonly #entries = new EntryTable(() => new WriteEntry());
  readonly #deadlines: DeadlineQueue;
  #stopped = false;

  constructor(dependencies: WriteCoordinatorDependencies) {
    this.#self = dependencies.self;
    this.#options = resolveCoordinatorOptions(dependencies.options);
    this.#reach = dependencies.reach;
    this.#out = dependencies.out;
    this.#deadlines = new DeadlineQueue(this.#out, (stream, at) => this.#entries.get(stream)?.wakeAt === at);
  }

  /** Requests whose entry is held: not answered, or answered and still waiting for owners. */
  get inFlight(): number {
    return this.#entries.size;
  }

  /** Begins a write. Throws RangeError for a stream in use or an empty row: mistakes of the driver, not of a client. */
  start(request: WriteRequest, now: Millis): void {
    if (request.row.length === 0) throw new RangeError('a write needs a row of owners');
    const entry = this.#entries.take(request.stream);
    entry.begin(request, this.#options, now);
    if (this.#stopped) return this.#fail(entry, 'stopping', 'the node is stopping');
    if (entry.deadline <= now)
      return this.#fail(entry, 'quorum', 'no time left when the write reached its coordinator');
    if (!entry.sloppy && entry.placeOfOwner(this.#self) === undefined) {
      return this.#fail(entry, 'refused', `${this.#self} is not an owner; strict writes are coordinated by owners`);
    }
    if (!this.#plan(entry)) return;
    if (request.preRead) this.#startReading(entry, now);
    else this.#coordinate(entry);
  }

  /**
   * The operation is in the local memtable: `state` is the record's bytes, `context` its encoded version vector, `result` what
   * the operation found and made.
   */
  merged(stream: number, state: Uint8Array, context: Uint8Array, now: Millis, result: OperationResult = MADE): void {
    const entry = this.#entries.get(stream);
    if (entry?.phase !== 'coordinating') return;
    entry.take(state, context, result);
    if (entry.expired) return this.#abandon(entry);
    assignRoles(entry, this.#self, this.#reach);
    entry.message = replicateMessage(entry, undefined, now);
    this.#spread(entry, now);
    this.#judge(entry, stream, now);
  }

  /** There was nothing to write: a condition did not hold. `context`: of the record as it is. */
  unchanged(stream: number, context: Uint8Array, result: OperationResult): void {
    const entry = this.#entries.get(stream);
    if (entry?.phase !== 'coordinating') return;
    const { finished } = entry;
    this.#entries.release(entry, stream);
    if (finished) return;
    this.counters.ok++;
    this.#out.finish(stream, { status: 'ok', context, acknowledged: 0, hinted: 0, result });
  }

  /**
   * The local replica did not take the operation. All reasons but `engine` promise that nothing was changed; after an engine
   * error the log may yet hold it.
   */
  coordinateFailed(stream: number, reason: FailureReason, detail: string, now: Millis): void {
    const entry = this.#entries.get(stream);
    if (entry === undefined) return;
    if (entry.phase === 'merged') return this.stored(stream, new Error(detail), now);
    if (entry.phase !== 'coordinating') return;
    if (!entry.finished && reason !== 'engine') return this.#fail(entry, reason, detail);
    if (!entry.finished) this.#indeterminate(entry, reason, detail);
    this.#entries.release(entry, stream);
  }

  /** The local copy is as durable as asked, or never will be. */
  stored(stream: number, error: Error | undefined, now: Millis): void {
    const entry = this.#entries.get(stream);
    if (entry?.phase !== 'merged' || entry.selfState !== 'sent') return;
    if (error === undefined) {
      entry.setSelf(this.#self, 'stored');
      entry.tally.acknowledge(this.#self);
    } else {
      this.#loseSelf(entry, error, now);
    }
    this.#judge(entry, stream, now);
  }

  receive(from: NodeId, message: ReplicateReplyMessage | FetchReplyMessage, now: Millis): void {
    const entry = this.#entries.get(message.stream);
    if (entry === undefined || from === this.#self) return;
    if (message.kind === 'fetch-reply') {
      if (entry.phase !== 'reading') return;
      noteContext(entry, from, message);
      this.#judgeReading(entry, now);
    } else if (entry.phase === 'merged') {
      if (message.status === 'stored') this.#acknowledge(entry, from, now);
      else this.#lose(entry, from, now);
    }
  }

  /** The connection to the node went: what it has not acknowledged, it may never have received. */
  unreachable(node: NodeId, now: Millis): void {
    if (node === this.#self) return;
    for (const [, entry] of this.#entries) {
      if (entry.phase === 'reading') {
        entry.readTally.lose(node);
        this.#judgeReading(entry, now);
      } else if (entry.phase === 'merged') {
        this.#lose(entry, node, now);
      }
    }
  }

  tick(now: Millis): void {
    this.#deadlines.drain(now, (stream) => {
      const entry = this.#entries.get(stream);
      if (entry !== undefined) this.#onTime(entry, now);
    });
  }

  /** Ends every request with `stopping`, keeping hints for owners that have not acknowledged. Later starts fail. */
  stop(_now: Millis): void {
    this.#stopped = true;
    for (const [stream, entry] of this.#entries) {
      if (entry.phase === 'reading') {
        this.#fail(entry, 'stopping', 'the node is stopping');
        continue;
      }
      if (!entry.finished) this.#indeterminate(entry, 'stopping', whyStopped(entry));
      if (entry.phase === 'merged') this.#abandon(entry);
      else this.#entries.release(entry, stream);
    }
  }

  // Time.

  /** Sees to it that the entry is looked at in time. Waking early is harmless, and cheaper than to plan anew at each step. */
  #reschedule(entry: WriteEntry): void {
    const at = entry.nextLookAt;
    if (at >= entry.wakeAt) return;
    entry.wakeAt = at;
    this.#deadlines.schedule(at, entry.stream);
  }

  #onTime(entry: WriteEntry, now: Millis): void {
    const stream = entry.stream;
    entry.wakeAt = Infinity;
    if (now >= entry.deadline) return this.#expire(entry, now);
    if (entry.phase === 'reading' && now >= entry.preReadUntil) return this.#coordinate(entry);
    if (!entry.finished && now >= entry.standInAt) this.#replaceSilent(entry, now);
    if (this.#entries.holds(entry, stream)) this.#reschedule(entry);
  }

  #expire(entry: WriteEntry, now: Millis): void {
    if (entry.phase === 'reading') return this.#fail(entry, 'quorum', whyNotRead(entry, now));
    if (!entry.finished) this.#indeterminate(entry, 'quorum', whyLate(entry, now));
    // Without the state there is nothing to hint yet: wait for the local replica, which always answers.
    entry.expired = true;
    if (entry.phase === 'merged') this.#abandon(entry);
  }

  // Reading contexts first.

  #startReading(entry: WriteEntry, now: Millis): void {
    const stream = entry.stream;
    this.counters.preReads++;
    entry.phase = 'reading';
    expectContexts(entry, this.#self);
    this.#reschedule(entry);
    if (readingState(entry) === 'wait') this.#fetchContexts(entry, now);
    if (this.#entries.holds(entry, stream) && entry.phase === 'reading') this.#judgeReading(entry, now);
  }

  #fetchContexts(entry: WriteEntry, now: Millis): void {
    const stream = entry.stream;
    const fetch = contextFetch(entry, now);
    for (let i = 0; i < entry.placeCount && this.#entries.holds(entry, stream) && entry.phase === 'reading'; i++) {
      const place = entry.place(i);
      if (place.ownerState === 'planned') this.#out.send(place.owner, fetch);
    }
  }

  #judgeReading(entry: WriteEntry, now: Millis): void {
    const state = readingState(entry);
    if (state === 'enough') this.#coordinate(entry);
    else if (state === 'too-few') this.#fail(entry, 'unreachable', whyNotRead(entry, now));
  }

  // Writing.

  /** Assigns roles; ends the request if those who can be reached cannot make the quorum. True if it goes on. */
  #plan(entry: WriteEntry): boolean {
    assignRoles(entry, this.#self, this.#reach);
    if (entry.tally.verdict() !== 'impossible') return true;
    this.#fail(entry, 'unreachable', whyNotTried(entry));
    return false;
  }

  #coordinate(entry: WriteEntry): void {
    if (entry.phase === 'reading') {
      if (entry.readTally.verdict() !== 'met') this.counters.preReadSkipped++;
      if (!this.#plan(entry)) return;
    }
    entry.phase = 'coordinating';
    entry.setSelf(this.#self, 'sent');
    this.#reschedule(entry);
    const { stream, address, operation, header } = entry.request;
    const durability = localDurability(entry.request.consistency);
    const hintFor = hintsOfTheBatch(entry, this.#self);
    this.counters.hintsKept += hintFor.length;
    this.#out.coordinate(stream, {
      requestId: header.id,
      address,
      operation,
      seen: entry.seen,
      durability,
      hintFor,
    });
  }

  #spread(entry: WriteEntry, now: Millis): void {
    const stream = entry.stream;
    for (let i = 0; i < entry.placeCount && this.#entries.holds(entry, stream); i++) {
      const place = entry.place(i);
      if (place.ownerState === 'planned') {
        place.ownerState = 'sent';
        this.#out.send(place.owner, entry.message as ReplicateMessage);
      } else if (place.standInState === 'planned') this.#sendToStandIn(entry, place, now);
      else if (place.ownerState === 'none') this.#cover(entry, place, now);
    }
  }

  #sendToStandIn(entry: WriteEntry, place: Place, now: Millis): void {
    place.standInState = 'sent';
    this.counters.standIns++;
    this.#out.send(place.standIn as NodeId, replicateMessage(entry, place.owner, now));
  }

  // What becomes of the copies.

  #acknowledge(entry: WriteEntry, from: NodeId, now: Millis): void {
    const stream = entry.stream;
    if (!entry.noteStored(from)) return;
    // A fallback that has been replaced has no place any more, but what it says is true: the tally knows it.
    if (entry.tally.acknowledge(from)) this.#judge(entry, stream, now);
  }

  /** The node refused, or is out of reach. */
  #lose(entry: WriteEntry, node: NodeId, now: Millis): void {
    const stream = entry.stream;
    const place = entry.noteLost(node);
    if (place === undefined) return;
    entry.tally.lose(node);
    this.#cover(entry, place, now);
    this.#judge(entry, stream, now);
  }

  /** The local engine failed: its copy counts for nothing. A fallback may still make up for it. */
  #loseSelf(entry: WriteEntry, error: Error, now: Millis): void {
    entry.setSelf(this.#self, 'lost');
    entry.engineError = error.message;
    entry.tally.lose(this.#self);
    const place = entry.placeOf(this.#self);
    if (place !== undefined) this.#cover(entry, place, now);
  }

  /**
   * Finds somebody to keep the write for an owner that has not acknowledged it: before the answer the next fallback, since
   * that counts for W; after it, or when there is none, this node. An owner that may yet answer is waited for.
   */
  #cover(entry: WriteEntry, place: Place, now: Millis): void {
    if (place.ownerState === 'stored' || isOnItsWay(place.standInState) || place.standInState === 'stored') return;
    const standIn = entry.finished ? undefined : takeFallback(entry, this.#self, this.#reach);
    if (standIn !== undefined) {
      place.standIn = standIn;
      this.#sendToStandIn(entry, place, now);
    } else if (!isOnItsWay(place.ownerState)) this.#hint(entry, place);
  }

  #hint(entry: WriteEntry, place: Place): void {
    if (place.hinted || place.owner === this.#self) return;
    place.hinted = true;
    this.counters.hintsKept++;
    this.#out.keepHint(place.owner, entry.request.address, entry.state);
  }

  /** Owners that have been silent for long get a fallback beside them; whichever acknowledges first counts. */
  #replaceSilent(entry: WriteEntry, now: Millis): void {
    const stream = entry.stream;
    if (entry.phase !== 'merged') {
      entry.standInAt = now + (now - entry.startedAt);
      return;
    }
    entry.standInAt = Infinity;
    for (let i = 0; i < entry.placeCount && this.#entries.holds(entry, stream); i++) {
      const place = entry.place(i);
      if (place.ownerState === 'sent' && !isCovered(place)) this.#cover(entry, place, now);
    }
  }

  // The end.

  #judge(entry: WriteEntry, stream: number, now: Millis): void {
    if (!this.#entries.holds(entry, stream)) return;
    const verdict = entry.finished ? 'pending' : entry.tally.verdict();
    if (verdict === 'met') this.#succeed(entry);
    else if (verdict === 'impossible') this.#giveUp(entry, now);
    if (this.#entries.holds(entry, stream) && entry.finished && entry.isSettled(this.#self))
      this.#entries.release(entry, stream);
  }

  #succeed(entry: WriteEntry): void {
    entry.finished = true;
    this.counters.ok++;
    const { acknowledged, hinted } = entry.tally;
    const { context, result } = entry;
    const left = siblingsLeft(entry.request.operation, entry.state);
    this.#out.finish(entry.stream, { status: 'ok', context, acknowledged, hinted, result, ...left });
  }

  #giveUp(entry: WriteEntry, now: Millis): void {
    this.#indeterminate(entry, entry.engineError === undefined ? 'quorum' : 'engine', whyGivenUp(entry, now));
  }

  #indeterminate(entry: WriteEntry, reason: FailureReason, detail: string): void {
    entry.finished = true;
    this.counters.indeterminate++;
    this.#out.finish(entry.stream, { status: 'indeterminate', reason, detail });
  }

  /** Certainly nothing happened: no copy has been asked for, or the local one was refused. */
  #fail(entry: WriteEntry, reason: FailureReason, detail: string): void {
    const stream = entry.stream;
    this.counters.failed++;
    this.#entries.release(entry, stream);
    this.#out.finish(stream, { status: 'failed', reason, detail });
  }

  /** No more waiting: whoever has not acknowledged gets a hint. */
  #abandon(entry: WriteEntry): void {
    const stream = entry.stream;
    for (let i = 0; i < entry.placeCount && this.#entries.holds(entry, stream); i++) {
      const place = entry.place(i);
      if (place.ownerState !== 'stored' && place.standInState !== 'stored') this.#hint(entry, place);
    }
    this.#entries.release(entry, stream);
  }
}
