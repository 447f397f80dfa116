/**
 * Runs client reads: asks R replicas, one more when one is late, others in place of those that refuse or cannot be reached;
 * merges, answers, and brings owners that were behind up to date (DESIGN §6).
 *
 * Invariants: one outcome per request, at the latest at its deadline. `ok` only after R distinct nodes have answered, PR of
 * them owners that are sure of their log. What a fallback answers counts in sloppy mode only, and then the outcome says
 * `degraded`. A damaged record is a refusal. Repairs go to owners only, are sent after the answer, and nobody waits for
 * their replies: they travel under NO_STREAM.
 *
 * Any call of the sink may come back in at once with an event, even one that ends the request (a message to this node itself
 * is a direct call); hence nodes are all chosen before the first is asked, and each loop looks whether the entry still
 * serves the same stream.
 */
import { DeadlineQueue, remainingMs } from '../deadline-queue.ts';
import type { Millis, Reachability, ReadEffects } from '../effects.ts';
import type { FailureReason, FetchMessage, FetchReplyMessage, NodeId, ReplicateMessage } from '../messages.ts';
import { type CoordinatorOptions, resolveCoordinatorOptions } from '../options.ts';
import { newReadCounters, type ReadCounters } from './counters.ts';
import { EntryTable } from './entry-table.ts';
import { mergeAnswers } from './merge-answers.ts';
import { type Asked, ReadEntry, type ReadRequest } from './read-entry.ts';
import { staleOwners } from './read-repair.ts';
import { decodeRecordContext } from '../record-codec.ts';
import type { VersionVector } from '../version-vector.ts';

export type { ReadRequest } from './read-entry.ts';

/** The stream of requests whose replies nobody waits for. */
export const NO_STREAM = 0;

export interface ReadCoordinatorDependencies {
  readonly self: NodeId;
  readonly options?: CoordinatorOptions;
  readonly reach: Reachability;
  readonly out: ReadEffects;
}

export class ReadCoordinator {
  readonly counters: ReadCounters = newReadCounters();
  readonly #self: NodeId;
  readonly #options: Required<CoordinatorOptions>;
  readonly #reach: Reachability;
  readonly #out: ReadEffects;
  readonly #entries = new EntryTable(() => new ReadEntry());
  readonly #deadlines: DeadlineQueue;
  #stopped = false;

  constructor(dependencies: ReadCoordinatorDependencies) {
    this.#self = dependencies.self;
    this.#options = resolveCoordinatorOptions(dependencies.options);
    this.#reach = dependencies.reach;
    this.#out = dependencies.out;
    this.#deadlines = new DeadlineQueue(this.#out, (stream, at) => this.#entries.get(stream)?.wakeAt === at);
  }

  /** Requests whose entry is held: not answered, or answered and still waiting for late answers to compare. */
  get inFlight(): number {
    return this.#entries.size;
  }

  /** Begins a read. Throws RangeError for a stream in use: a mistake of the driver, not of a client. */
  start(request: ReadRequest, now: Millis): void {
    const entry = this.#entries.take(request.stream);
    entry.begin(request, this.#options, now);
    if (this.#stopped) return this.#fail(entry, 'stopping', 'the node is stopping');
    if (entry.deadline <= now) return this.#fail(entry, 'quorum', 'no time left when the read reached its coordinator');
    this.#chooseFirst(entry);
    if (entry.tally.verdict() === 'impossible') return this.#fail(entry, 'unreachable', this.#shortage(entry));
    this.#reschedule(entry);
    this.#ask(entry, now);
  }

  receive(from: NodeId, message: FetchReplyMessage, now: Millis): void {
    const entry = this.#entries.get(message.stream);
    const asked = entry?.find(from);
    if (entry === undefined || asked === undefined || (asked.state !== 'sent' && asked.state !== 'lost')) return;
    if (message.status !== 'ok' || message.records.length !== 1) {
      entry.refused = true;
      return this.#lose(entry, asked, now);
    }
    asked.state = 'answered';
    asked.record = message.records[0];
    if (message.role === 'fallback') asked.role = 'fallback';
    entry.tally.answer(from, message.role, message.doubt);
    if (entry.finished) this.#compare(entry);
    else this.#judge(entry, now);
  }

  /** The connection to the node went: it will not answer. */
  unreachable(node: NodeId, now: Millis): void {
    if (node === this.#self) return;
    for (const [, entry] of this.#entries) {
      const asked = entry.find(node);
      if (asked !== undefined) this.#lose(entry, asked, now);
    }
  }

  tick(now: Millis): void {
    this.#deadlines.drain(now, (stream) => {
      const entry = this.#entries.get(stream);
      if (entry !== undefined) this.#onTime(entry, now);
    });
  }

  /** Ends every request with `stopping`. Later starts fail. */
  stop(_now: Millis): void {
    this.#stopped = true;
    for (const [stream, entry] of this.#entries) {
      if (entry.finished) this.#entries.release(entry, stream);
      else this.#fail(entry, 'stopping', 'the node is stopping');
    }
  }

  // Time.

  /** Sees to it that the entry is looked at in time. Waking early is harmless. */
  #reschedule(entry: ReadEntry): void {
    let at = entry.deadline;
    if (!entry.finished) at = Math.min(at, entry.standInAt, entry.mayAskOwner ? entry.hedgeAt : Infinity);
    if (at >= entry.wakeAt) return;
    entry.wakeAt = at;
    this.#deadlines.schedule(at, entry.stream);
  }

  #onTime(entry: ReadEntry, now: Millis): void {
    const stream = entry.stream;
    entry.wakeAt = Infinity;
    if (now >= entry.deadline) return this.#expire(entry, now);
    if (!entry.finished && now >= entry.hedgeAt) this.#hedge(entry, now);
    if (this.#entries.holds(entry, stream) && !entry.finished && now >= entry.standInAt)
      this.#replaceSilent(entry, now);
    if (this.#entries.holds(entry, stream)) this.#reschedule(entry);
  }

  #expire(entry: ReadEntry, now: Millis): void {
    if (entry.finished) return this.#entries.release(entry, entry.stream);
    if (entry.tally.verdict() === 'met') return this.#fail(entry, 'quorum', whyBehind(entry));
    this.#fail(
      entry,
      'quorum',
      `${progress(entry)} in ${Math.round(now - entry.startedAt)} ms${stillComparing(entry)}`,
    );
  }

  #hedge(entry: ReadEntry, now: Millis): void {
    entry.hedgeAt = now + this.#options.hedgeAfterMs;
    if (!entry.chooseOwner(this.#self, this.#reach)) return;
    this.counters.hedges++;
    this.#ask(entry, now);
  }

  /** Owners seem reachable but have been silent for long: as many fallbacks as R lacks. */
  #replaceSilent(entry: ReadEntry, now: Millis): void {
    entry.standInAt = Infinity;
    const missing = entry.request.consistency.r - entry.tally.answered;
    for (let i = 0; i < missing && this.#chooseFallback(entry); i++);
    this.#ask(entry, now);
  }

  // Whom to ask.

  #chooseFirst(entry: ReadEntry): void {
    const { row, consistency, repair } = entry.request;
    const all = repair || consistency.r >= row.length;
    const wanted = all ? row.length : Math.max(consistency.r, consistency.pr);
    for (let i = 0; i < wanted && entry.chooseOwner(this.#self, this.#reach); i++);
    this.#topUp(entry);
  }

  /** Chooses more nodes until the quorum is within reach again, or nobody is left. */
  #topUp(entry: ReadEntry): void {
    while (entry.tally.verdict() === 'impossible') {
      if (!entry.chooseOwner(this.#self, this.#reach) && !this.#chooseFallback(entry)) return;
    }
  }

  #chooseFallback(entry: ReadEntry): boolean {
    const chosen = entry.chooseFallback(this.#self, this.#reach);
    if (chosen) this.counters.standIns++;
    return chosen;
  }

  /** Sends the question to all that were chosen and not asked yet. */
  #ask(entry: ReadEntry, now: Millis): void {
    const { stream, header, address } = entry.request;
    let fetch: FetchMessage | undefined;
    for (let i = 0; i < entry.asked.length && this.#entries.holds(entry, stream); i++) {
      const asked = entry.asked[i] as Asked;
      if (asked.state !== 'chosen') continue;
      asked.state = 'sent';
      fetch ??= {
        kind: 'fetch',
        stream,
        header: { ...header, remainingMs: remainingMs(entry.deadline, now) },
        addresses: [address],
      };
      this.#out.send(asked.node, fetch);
    }
  }

  #lose(entry: ReadEntry, asked: Asked, now: Millis): void {
    if (asked.state !== 'sent' && asked.state !== 'chosen') return;
    asked.state = 'lost';
    entry.tally.lose(asked.node);
    if (entry.finished) this.#settle(entry, entry.stream);
    else this.#judge(entry, now);
  }

  // The answer, and after it.

  #judge(entry: ReadEntry, now: Millis): void {
    if (entry.tally.verdict() === 'met') {
      if (this.#conclude(entry)) return;
      // Still met: the answers are enough in number, and behind what the reader has seen.
      if (entry.tally.verdict() === 'met') return this.#widen(entry, now);
    }
    this.#topUp(entry);
    if (entry.tally.verdict() === 'impossible') {
      const reason = entry.refused ? 'refused' : 'unreachable';
      return this.#fail(
        entry,
        reason,
        `${progress(entry)} after ${Math.round(now - entry.startedAt)} ms: ${this.#shortage(entry)}`,
      );
    }
    this.#ask(entry, now);
  }

  /** The answer lacks what the reader has seen: all other owners are asked, and if there are none the fallbacks. */
  #widen(entry: ReadEntry, now: Millis): void {
    while (entry.chooseOwner(this.#self, this.#reach));
    if (entry.tally.open === 0) while (this.#chooseFallback(entry));
    if (entry.tally.open === 0) return this.#fail(entry, 'quorum', whyBehind(entry));
    this.counters.widened++;
    this.#ask(entry, now);
  }

  /**
   * Merges and answers. False if damaged records turned up and the quorum is not met without them, or if the record is behind
   * what the reader has seen.
   */
  #conclude(entry: ReadEntry): boolean {
    const record = this.#merge(entry);
    if (entry.tally.verdict() !== 'met' || isBehind(record, entry.request.includes)) return false;
    const { stream, tally } = entry;
    const degraded = tally.owners < entry.request.consistency.r;
    entry.merged = record;
    entry.finished = true;
    this.counters.ok++;
    if (degraded) this.counters.degradedReads++;
    this.#out.finish(stream, { status: 'ok', record, answered: tally.answered, degraded });
    if (this.#entries.holds(entry, stream)) this.#repair(entry);
    this.#settle(entry, stream);
    return true;
  }

  #merge(entry: ReadEntry): Uint8Array | undefined {
    const { record, damaged } = mergeAnswers(entry.answers(), this.#self);
    for (const asked of damaged) {
      this.counters.corruptAnswers++;
      entry.refused = true;
      asked.state = 'lost';
      asked.record = undefined;
      entry.tally.withdraw(asked.node);
    }
    return record;
  }

  /** A late answer: it may be behind, or ahead of what the others said. */
  #compare(entry: ReadEntry): void {
    const stream = entry.stream;
    entry.merged = this.#merge(entry);
    this.#repair(entry);
    this.#settle(entry, stream);
  }

  #repair(entry: ReadEntry): void {
    const { merged, stream } = entry;
    if (merged === undefined) return;
    const stale = staleOwners(entry.answers(), merged);
    if (stale.length === 0) return;
    const message = repairMessage(entry, merged);
    for (const asked of stale) {
      if (!this.#entries.holds(entry, stream)) return;
      // From now on it counts as up to date: a later answer of another node does not repair it twice.
      asked.record = merged;
      this.counters.readRepairs++;
      this.#out.send(asked.node, message);
    }
  }

  #fail(entry: ReadEntry, reason: FailureReason, detail: string): void {
    const stream = entry.stream;
    this.counters.failed++;
    this.#entries.release(entry, stream);
    this.#out.finish(stream, { status: 'failed', reason, detail });
  }

  #settle(entry: ReadEntry, stream: number): void {
    if (this.#entries.holds(entry, stream) && entry.settled) this.#entries.release(entry, stream);
  }

  #shortage(entry: ReadEntry): string {
    const { r, pr } = entry.request.consistency;
    const primaries = pr > 0 ? `, PR=${pr}` : '';
    return `can reach ${entry.tally.answered + entry.tally.open} of R=${r} nodes${primaries}${stillComparing(entry)}`;
  }
}

/** The client has its answer; the repair has a request's whole time of its own. */
function repairMessage(entry: ReadEntry, record: Uint8Array): ReplicateMessage {
  const { header, consistency, address } = entry.request;
  return {
    kind: 'replicate',
    stream: NO_STREAM,
    header: { ...header, remainingMs: consistency.timeoutMs },
    purpose: 'repair',
    hintFor: undefined,
    durability: consistency.durability,
    items: [{ address, record }],
  };
}

function progress(entry: ReadEntry): string {
  const { r, pr } = entry.request.consistency;
  return `read from ${entry.tally.answered} of R=${r}${pr > 0 ? `, PR=${pr}` : ''}`;
}

/** After a start, owners that do not count yet: said, since it passes by itself. */
function stillComparing({ request, tally }: ReadEntry): string {
  const { mode, pr } = request.consistency;
  if (tally.doubtful === 0 || (mode !== 'strict' && pr === 0)) return '';
  const who = tally.doubtful === 1 ? 'an owner is' : `${tally.doubtful} owners are`;
  return `; ${who} still comparing with the others after a start: try again in a few seconds`;
}

function isBehind(record: Uint8Array | undefined, includes: VersionVector | undefined): boolean {
  if (includes === undefined || includes.isEmpty) return false;
  return record === undefined || !decodeRecordContext(record).includes(includes);
}

function whyBehind(entry: ReadEntry): string {
  return `${progress(entry)}, and none of them holds all that this connection has seen of the key`;
}
