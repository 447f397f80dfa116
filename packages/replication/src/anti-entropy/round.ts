/**
 * One round of anti-entropy with one peer, from the asking side. One question is in flight at a time:
 *
 *   for each chunk of shared slots:   leaves ──► differing slots
 *     for each differing slot:
 *       for each page of its keys:    keys ──► what the peer wants, what it holds differently, how far it came
 *                                     merge what came, durably; then replicate what is wanted, if it is not what came
 *
 * Invariants:
 * - it goes through each slot once, forward, so it ends even when both sides are written to all the time;
 * - the peer's records are merged before ours are sent, so what travels back is already the merge;
 * - nothing is agreed on in a slot in which anything failed; an error ends the slot, a wait that is too long the round.
 */
import type { Millis } from '../effects.ts';
import type {
  ExchangeKeysReplyMessage,
  ExchangeLeavesReplyMessage,
  NodeId,
  ReplicaItem,
  ReplicateReplyMessage,
} from '../messages.ts';
import type { AntiEntropyContext, RoundEnd } from './context.ts';
import { type KeyPage, readPage } from './keys.ts';
import { type LeafChunk, readChunk, runsWithout, type SharedSlots } from './leaves.ts';
import { SlotRepair } from './slot-repair.ts';

export type ExchangeReply = ExchangeLeavesReplyMessage | ExchangeKeysReplyMessage | ReplicateReplyMessage;

/** So many slots refused one after the other mean that the peer refuses all. */
const REFUSED_SLOTS_MAX = 8;

export class Round {
  readonly peer: NodeId;
  readonly #context: AntiEntropyContext;
  readonly #shared: readonly SharedSlots[];
  readonly #epoch: number;
  readonly #ended: (end: RoundEnd) => void;
  #phase: 'ready' | 'leaves' | 'keys' | 'merge' | 'push' | 'ended' = 'ready';
  /** When to go on (ready), or to give up waiting. */
  #atMs: Millis = 0;
  #stream = 0;
  #sharedIndex = 0;
  #nextSlot = 0;
  #chunk: LeafChunk | undefined;
  /** Differing slots of the chunk still to be gone through, descending. */
  #differing: number[] = [];
  #repair: SlotRepair | undefined;
  #refusedSlots = 0;

  constructor(
    context: AntiEntropyContext,
    plan: { readonly peer: NodeId; readonly shared: readonly SharedSlots[]; readonly ended: (end: RoundEnd) => void },
  ) {
    this.#context = context;
    this.peer = plan.peer;
    this.#shared = plan.shared;
    this.#ended = plan.ended;
    this.#epoch = context.deps.ringEpoch();
  }

  /** When the next tick is due. */
  get atMs(): Millis {
    return this.#atMs;
  }

  /** Goes on when it is time to, or ends the round when a wait was too long. */
  tick(): void {
    if (this.#phase === 'ended' || this.#context.now < this.#atMs) return;
    if (this.#phase === 'ready') this.#next();
    else this.#end('timeout');
  }

  receive(reply: ExchangeReply): void {
    if (reply.stream !== this.#stream) return;
    if (reply.kind === 'exchange-leaves-reply' && this.#phase === 'leaves') this.#leavesAnswered(reply);
    else if (reply.kind === 'exchange-keys-reply' && this.#phase === 'keys') this.#keysAnswered(reply);
    else if (reply.kind === 'replicate-reply' && this.#phase === 'push') this.#pushAnswered(reply);
  }

  #next(): void {
    const { reach, ringEpoch } = this.#context.deps;
    if (!reach.reachable(this.peer)) return this.#end('unreachable');
    if (ringEpoch() !== this.#epoch) return this.#end('epoch');
    if (this.#repair !== undefined) return this.#askKeys(this.#repair);
    const slot = this.#differing.pop();
    if (slot === undefined || this.#chunk === undefined) return this.#askLeaves();
    this.#context.counters.slotsDiffering++;
    this.#repair = new SlotRepair(slot, this.#chunk.group);
    this.#askKeys(this.#repair);
  }

  #askLeaves(): void {
    const chunk = this.#nextChunk();
    if (chunk === undefined) return this.#end('complete');
    this.#chunk = chunk;
    this.#context.counters.leavesSent += chunk.leaves.length;
    this.#context.counters.storeErrors += chunk.unreadable.size;
    const { group, fromSlot, toSlot, leaves } = chunk;
    const stream = this.#wait('leaves');
    const ringEpoch = this.#epoch;
    this.#context.deps.out.send(this.peer, {
      kind: 'exchange-leaves',
      stream,
      ringEpoch,
      group,
      fromSlot,
      toSlot,
      leaves,
    });
  }

  #nextChunk(): LeafChunk | undefined {
    const { deps, options } = this.#context;
    for (; ; this.#sharedIndex++, this.#nextSlot = 0) {
      const shared = this.#shared[this.#sharedIndex];
      if (shared === undefined) return undefined;
      const limits = { slots: options.slotsPerMessage, bytes: Math.min(options.messageBytes, 64 * 1024) };
      const chunk = readChunk(shared, this.#nextSlot, deps.store, limits);
      if (chunk === undefined) continue;
      this.#nextSlot = chunk.toSlot + 1;
      return chunk;
    }
  }

  #leavesAnswered(reply: ExchangeLeavesReplyMessage): void {
    const chunk = this.#chunk;
    if (reply.status === 'refused' || chunk === undefined) return this.#end('refused');
    const asked = (slot: number): boolean =>
      !chunk.unreadable.has(slot) && chunk.runs.some(([from, to]) => from <= slot && slot <= to);
    const differing = new Set(reply.differing.filter(asked));
    this.#differing = [...differing].sort((a, b) => b - a);
    this.#context.counters.slotsFailed += chunk.unreadable.size;
    for (const [from, to] of runsWithout(chunk.runs, new Set([...differing, ...chunk.unreadable]))) {
      this.#agreed(chunk.group, from, to);
    }
    this.#proceed();
  }

  #askKeys(repair: SlotRepair): void {
    const { deps, counters } = this.#context;
    const page = this.#page(repair);
    if (page === undefined) return this.#giveUpSlot();
    repair.asked(page);
    counters.keysListed += page.keys.length;
    deps.out.send(this.peer, {
      kind: 'exchange-keys',
      stream: this.#wait('keys'),
      ringEpoch: this.#epoch,
      group: repair.group,
      slot: repair.slot,
      after: repair.after,
      until: page.until,
      keys: page.keys,
    });
  }

  #page(repair: SlotRepair): KeyPage | undefined {
    const { deps, options, counters } = this.#context;
    try {
      return readPage(deps.store, repair.slot, repair.after, {
        keys: options.keysPerMessage,
        bytes: options.messageBytes,
      });
    } catch {
      counters.storeErrors++;
      return undefined;
    }
  }

  #keysAnswered(reply: ExchangeKeysReplyMessage): void {
    const repair = this.#repair;
    if (reply.status === 'refused' || repair === undefined) {
      if (++this.#refusedSlots >= REFUSED_SLOTS_MAX) return this.#end('refused');
      return this.#giveUpSlot();
    }
    this.#refusedSlots = 0;
    if (!repair.answered(reply)) return this.#end('protocol');
    this.#context.counters.recordsReceived += reply.items.length;
    if (reply.items.length === 0) return this.#push(repair);
    this.#merge(repair, reply.items);
  }

  #merge(repair: SlotRepair, items: readonly ReplicaItem[]): void {
    const stream = this.#wait('merge');
    this.#context.deps.store.merge(items, (error) => {
      // The wait was too long, and the round is over.
      if (this.#stream !== stream) return;
      if (error === undefined) return this.#push(repair);
      this.#context.counters.storeErrors++;
      this.#giveUpSlot();
    });
  }

  /** Sends the next of the wanted records; once all are acknowledged the page is done. */
  #push(repair: SlotRepair): void {
    const { deps, options, counters } = this.#context;
    const { items, errors } = repair.nextWanted(deps.store, options.messageBytes);
    counters.storeErrors += errors;
    if (items.length === 0) return this.#pageDone(repair);
    counters.recordsSent += items.length;
    deps.out.send(this.peer, {
      kind: 'replicate',
      stream: this.#wait('push'),
      header: deps.header(options.replyTimeoutMs),
      purpose: 'exchange',
      hintFor: undefined,
      durability: 'sync',
      items,
    });
  }

  #pushAnswered(reply: ReplicateReplyMessage): void {
    if (reply.status === 'refused' || this.#repair === undefined) return this.#giveUpSlot();
    this.#push(this.#repair);
  }

  #pageDone(repair: SlotRepair): void {
    if (repair.turnPage()) return this.#proceed();
    this.#repair = undefined;
    if (repair.failed) this.#context.counters.slotsFailed++;
    else this.#agreed(repair.group, repair.slot, repair.slot);
    if (!repair.moved) this.#context.counters.slotsPhantom++;
    this.#proceed();
  }

  #giveUpSlot(): void {
    this.#repair = undefined;
    this.#context.counters.slotsFailed++;
    this.#proceed();
  }

  #agreed(group: number, fromSlot: number, toSlot: number): void {
    this.#context.deps.onAgreed?.({ peer: this.peer, group, fromSlot, toSlot });
  }

  /** The next step follows after a pause, so that foreground work is not held up by a long round. */
  #proceed(): void {
    this.#phase = 'ready';
    this.#stream = 0;
    this.#atMs = this.#context.now + this.#context.options.pauseMs;
    if (this.#context.options.pauseMs === 0) return this.#next();
    this.#context.alarm.set(this.#atMs);
  }

  #wait(phase: 'leaves' | 'keys' | 'merge' | 'push'): number {
    const { deps, options, alarm, now } = this.#context;
    this.#phase = phase;
    this.#stream = deps.nextStream();
    this.#atMs = now + options.replyTimeoutMs;
    alarm.set(this.#atMs);
    return this.#stream;
  }

  #end(end: RoundEnd): void {
    this.#phase = 'ended';
    this.#stream = 0;
    this.#ended(end);
  }
}
