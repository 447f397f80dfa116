/**
 * Hinted handoff: brings the writes kept here for absent owners to them when they are back.
 *
 * Invariants:
 * - a hint is removed only after its target has said that it holds it durably, and only if it is still the same hint (its id):
 *   one that was replaced in flight stays and goes with the next bunch;
 * - at most one bunch per target is in flight; a target out of reach costs nothing;
 * - there is no last try: whatever fails is tried again after a bounded wait, and a sweep finds what fell through.
 * The target merges what it gets (never overwrites), so delivering twice, late, or after a newer write is harmless.
 */
import { Alarm } from '../alarm.ts';
import type { RecordSenderDependencies } from '../background.ts';
import type { Millis } from '../effects.ts';
import type { NodeId, ReplicateReplyMessage } from '../messages.ts';
import { below } from '../random.ts';
import type { Hint } from '../replica-store.ts';
import { backoffMs, type Delivery, itemsOf, newDelivery, nextBunch } from './hint.ts';
import { type HandoffOptions, resolveHandoffOptions } from './options.ts';

export interface HandoffDependencies extends RecordSenderDependencies {
  readonly options?: HandoffOptions;
}

/** The state of one delivery, for people. */
export interface HandoffProgress {
  readonly target: NodeId;
  readonly reachable: boolean;
  readonly phase: Delivery['phase'];
  /** Tries that failed in a row. */
  readonly failures: number;
  /** When the next try is due, by the monotonic clock; `undefined`: none is. */
  readonly nextTryMs: Millis | undefined;
  /** Hints that the target refuses. */
  readonly setAside: number;
}

/** Refusals that may be the fault of one item; others concern the target as a whole. */
const ABOUT_THE_ITEMS: ReadonlySet<string> = new Set(['corrupt', 'not-owner', 'failed']);

export class HintedHandoff {
  readonly counters = { bunchesSent: 0, hintsDelivered: 0, refusals: 0, timeouts: 0, storeErrors: 0 };
  readonly #deps: HandoffDependencies;
  readonly #options: Required<HandoffOptions>;
  readonly #deliveries = new Map<NodeId, Delivery>();
  readonly #alarm: Alarm;
  readonly #byStream = new Map<number, Delivery>();
  #sweepMs: Millis = -Infinity;
  /** The latest time told, for what the store calls back. */
  #now: Millis = 0;

  constructor(dependencies: HandoffDependencies) {
    this.#deps = dependencies;
    this.#options = resolveHandoffOptions(dependencies.options);
    this.#alarm = new Alarm(dependencies.out);
  }

  progress(): readonly HandoffProgress[] {
    return [...this.#deliveries.values()].map(({ target, reachable, phase, failures, dueMs, aside }) => ({
      target,
      reachable,
      phase,
      failures,
      nextTryMs: dueMs === Infinity ? undefined : dueMs,
      setAside: aside.size,
    }));
  }

  /** A connection to the node is up: its hints go out. */
  reachable(node: NodeId, now: Millis): void {
    this.#now = now;
    const delivery = this.#delivery(node);
    if (delivery.reachable) return;
    delivery.reachable = true;
    delivery.failures = 0;
    delivery.count = this.#options.bunchCount;
    // What the node refused in an earlier life it may take now.
    delivery.aside.clear();
    this.#due(delivery, now + below(this.#deps.random, this.#options.startWithinMs + 1));
  }

  /** The connection is gone, and with it any acknowledgement: the bunch in flight stays in the store. */
  unreachable(node: NodeId, now: Millis): void {
    this.#now = now;
    const delivery = this.#deliveries.get(node);
    if (delivery === undefined) return;
    delivery.reachable = false;
    delivery.dueMs = Infinity;
    if (delivery.phase === 'sent') this.#settle(delivery);
  }

  /** A hint was kept although the target is reachable (it did not acknowledge in time): deliver after `retryAfterMs`. */
  added(target: NodeId, now: Millis): void {
    this.#now = now;
    const delivery = this.#deliveries.get(target);
    // A busy delivery goes on until nothing is left, and one that fails comes back by itself.
    if (delivery === undefined || delivery.phase !== 'idle' || delivery.failures > 0) return;
    const at = now + this.#options.retryAfterMs;
    if (at < delivery.dueMs) this.#due(delivery, at);
  }

  tick(now: Millis): void {
    this.#now = now;
    this.#alarm.rang(now);
    if (now >= this.#sweepMs) this.#sweep(now);
    let nextMs = this.#sweepMs;
    for (const delivery of this.#deliveries.values()) {
      if (delivery.phase === 'sent' && now >= delivery.deadlineMs) {
        this.counters.timeouts++;
        this.#fail(delivery, now);
      } else if (delivery.phase === 'idle' && now >= delivery.dueMs) {
        this.#deliver(delivery, now);
      }
      if (delivery.phase !== 'removing') nextMs = Math.min(nextMs, delivery.dueMs, delivery.deadlineMs);
    }
    this.#alarm.set(nextMs);
  }

  receive(from: NodeId, reply: ReplicateReplyMessage, now: Millis): void {
    this.#now = now;
    const delivery = this.#byStream.get(reply.stream);
    if (delivery === undefined || delivery.target !== from) return;
    if (reply.status === 'stored') return this.#remove(delivery);
    this.counters.refusals++;
    if (ABOUT_THE_ITEMS.has(reply.reason)) this.#narrow(delivery, now);
    else this.#fail(delivery, now);
  }

  #delivery(target: NodeId): Delivery {
    let delivery = this.#deliveries.get(target);
    if (delivery === undefined) {
      delivery = newDelivery(target, this.#options.bunchCount);
      this.#deliveries.set(target, delivery);
    }
    return delivery;
  }

  /** Looks for hints that nobody is busy with: of a target whose last delivery ended before they were kept, say. */
  #sweep(now: Millis): void {
    this.#sweepMs = now + this.#options.sweepIntervalMs;
    const targets = this.#attempt(() => this.#deps.store.hintTargets()) ?? [];
    for (const target of targets) this.added(target, now);
  }

  #deliver(delivery: Delivery, now: Millis): void {
    delivery.dueMs = Infinity;
    if (!delivery.reachable) return;
    const bunch = this.#attempt(() => nextBunch(delivery, this.#deps.store, this.#options, now));
    if (bunch === undefined) return this.#fail(delivery, now);
    if (bunch.length === 0) return this.#finished(delivery);
    this.#send(delivery, bunch, now);
  }

  #send(delivery: Delivery, bunch: readonly Hint[], now: Millis): void {
    const { out, nextStream, header } = this.#deps;
    delivery.phase = 'sent';
    delivery.bunch = bunch;
    delivery.stream = nextStream();
    delivery.deadlineMs = now + this.#options.replyTimeoutMs;
    this.#byStream.set(delivery.stream, delivery);
    this.counters.bunchesSent++;
    this.#alarm.set(delivery.deadlineMs);
    out.send(delivery.target, {
      kind: 'replicate',
      stream: delivery.stream,
      header: header(this.#options.replyTimeoutMs),
      purpose: 'handoff',
      hintFor: undefined,
      durability: 'sync',
      items: itemsOf(bunch),
    });
  }

  /** The target holds the bunch durably. */
  #remove(delivery: Delivery): void {
    const { bunch } = delivery;
    this.#settle(delivery);
    delivery.phase = 'removing';
    this.#deps.store.removeHints(bunch, (error) => {
      delivery.phase = 'idle';
      if (error !== undefined) {
        this.counters.storeErrors++;
        return this.#fail(delivery, this.#now);
      }
      this.counters.hintsDelivered += bunch.length;
      delivery.failures = 0;
      delivery.count = Math.min(this.#options.bunchCount, delivery.count * 2);
      this.#due(delivery, this.#now + this.#options.pauseMs);
    });
  }

  /** One of the items is to blame: look for it with half as many, and set it aside once it is alone. */
  #narrow(delivery: Delivery, now: Millis): void {
    const { length, 0: first } = delivery.bunch;
    if (length === 1 && delivery.aside.size >= this.#options.setAsideMax) return this.#fail(delivery, now);
    if (length === 1 && first !== undefined) delivery.aside.set(first.id, now + this.#options.retryAfterMsMax);
    else delivery.count = Math.ceil(length / 2);
    this.#settle(delivery);
    this.#due(delivery, now + this.#options.retryAfterMs);
  }

  #fail(delivery: Delivery, now: Millis): void {
    this.#settle(delivery);
    delivery.failures++;
    this.#due(delivery, now + backoffMs(delivery.failures, this.#options, this.#deps.random));
  }

  /** Nothing is left, but for what is set aside. */
  #finished(delivery: Delivery): void {
    delivery.failures = 0;
    const earliest = Math.min(Infinity, ...delivery.aside.values());
    if (earliest < Infinity) this.#due(delivery, earliest);
  }

  /** Ends the bunch in flight, whatever became of it; a late reply to it finds nobody. */
  #settle(delivery: Delivery): void {
    this.#byStream.delete(delivery.stream);
    delivery.phase = 'idle';
    delivery.stream = 0;
    delivery.bunch = [];
    delivery.deadlineMs = Infinity;
  }

  #due(delivery: Delivery, at: Millis): void {
    if (!delivery.reachable) return;
    delivery.dueMs = at;
    this.#alarm.set(at);
  }

  /** What the store answers, or `undefined` (counted) when it throws: try again later, assume nothing. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch {
      this.counters.storeErrors++;
      return undefined;
    }
  }
}
