/**
 * Anti-entropy: finds and repairs what two owners of a slot hold differently, whatever the cause. Always on: each interval a
 * round (round.ts) with every reachable peer, one after the other, and soon after a peer has returned; and it answers the
 * rounds of others (answer.ts). Between equals only leaves travel; else only the records that differ.
 */
import { Alarm } from '../alarm.ts';
import type { Millis } from '../effects.ts';
import type { ExchangeKeysMessage, ExchangeLeavesMessage, NodeId } from '../messages.ts';
import { below } from '../random.ts';
import { answerKeys, answerLeaves } from './answer.ts';
import {
  type AntiEntropyContext,
  type AntiEntropyCounters,
  type AntiEntropyDependencies,
  newCounters,
} from './context.ts';
import type { SharedSlots } from './leaves.ts';
import { resolveAntiEntropyOptions } from './options.ts';
import { type ExchangeReply, Round } from './round.ts';

export type ExchangeMessage = ExchangeLeavesMessage | ExchangeKeysMessage | ExchangeReply;

export class AntiEntropy {
  readonly #context: AntiEntropyContext;
  /** Peers to begin a round with → not before. */
  readonly #due = new Map<NodeId, Millis>();
  #round: Round | undefined;
  #nextIntervalMs: Millis | undefined;

  constructor(dependencies: AntiEntropyDependencies) {
    this.#context = {
      deps: dependencies,
      options: resolveAntiEntropyOptions(dependencies.options),
      counters: newCounters(),
      alarm: new Alarm(dependencies.out),
      now: 0,
    };
  }

  get counters(): Readonly<AntiEntropyCounters> {
    return this.#context.counters;
  }

  /** The peer of the round under way. */
  get peer(): NodeId | undefined {
    return this.#round?.peer;
  }

  /** A peer can be reached again: compare with it soon. */
  memberReturned(node: NodeId, now: Millis): void {
    const { options, deps, alarm } = this.#context;
    this.#context.now = now;
    const at = now + options.returnedAfterMs + below(deps.random, options.returnedAfterMs + 1);
    // A peer whose connection flaps must not put its round off again and again.
    this.#due.set(node, Math.min(at, this.#due.get(node) ?? Infinity));
    alarm.set(at);
  }

  /** The first call starts the intervals, at a random point of the first one. */
  tick(now: Millis): void {
    const { alarm } = this.#context;
    this.#context.now = now;
    alarm.rang(now);
    this.#round?.tick();
    const nextIntervalMs = this.#interval(now);
    this.#begin(now);
    alarm.set(Math.min(nextIntervalMs, this.#round?.atMs ?? this.#earliestDue()));
  }

  /** Replies that belong to no question in flight are passed over, so all `replicate-reply` may be handed in. */
  receive(from: NodeId, message: ExchangeMessage, now: Millis): void {
    const context = this.#context;
    context.now = now;
    switch (message.kind) {
      case 'exchange-leaves':
        return context.deps.out.send(from, answerLeaves(context, from, message));
      case 'exchange-keys':
        return context.deps.out.send(from, answerKeys(context, from, message));
      default:
        if (this.#round?.peer === from) this.#round.receive(message);
    }
  }

  /** Makes every peer due when an interval begins; when the next one does. */
  #interval(now: Millis): Millis {
    const { options, deps } = this.#context;
    this.#nextIntervalMs ??= now + below(deps.random, options.intervalMs);
    if (now < this.#nextIntervalMs) return this.#nextIntervalMs;
    for (const { peer } of deps.peers()) this.#due.set(peer, Math.min(now, this.#due.get(peer) ?? Infinity));
    this.#nextIntervalMs = now + options.intervalMs;
    return this.#nextIntervalMs;
  }

  /** Peers in wait for the end of a round are due already: that end wakes. */
  #earliestDue(): Millis {
    let earliest = Infinity;
    for (const at of this.#due.values()) earliest = Math.min(earliest, at);
    return earliest;
  }

  /** Begins the round that is due, if none is under way. */
  #begin(now: Millis): void {
    const { deps, counters } = this.#context;
    for (const [peer, at] of this.#due) {
      if (this.#round !== undefined) return;
      if (at > now) continue;
      this.#due.delete(peer);
      const shared = this.#sharedWith(peer);
      if (peer === deps.self || shared.length === 0 || !deps.reach.reachable(peer)) continue;
      counters.rounds++;
      this.#round = new Round(this.#context, { peer, shared, ended: (end) => this.#ended(end) });
      this.#round.tick();
    }
  }

  #sharedWith(peer: NodeId): readonly SharedSlots[] {
    return [...this.#context.deps.peers()].filter((shared) => shared.peer === peer);
  }

  #ended(end: keyof AntiEntropyCounters['ends']): void {
    this.#context.counters.ends[end]++;
    this.#round = undefined;
    // The next peer's round is begun by a tick of its own, never from within this one's last step.
    if (this.#due.size > 0) this.#context.alarm.set(Math.max(this.#context.now, this.#earliestDue()));
  }
}
