/**
 * What is known of the delivery to one target, and what goes into its next message.
 *
 *   idle ──(due)──► sent ──stored──► removing ──removed──► idle, due again, until the store has no more
 *                    └──refused, timeout, gone──► idle, due after a wait that doubles
 *
 * A bunch that is refused is halved the next time, down to one hint; a hint that is refused alone is set aside for the longest
 * wait, so that one bad record does not hold up all that come after it. It stays in the store.
 */
import type { Millis } from '../effects.ts';
import type { NodeId, ReplicaItem } from '../messages.ts';
import { below, type Random } from '../random.ts';
import type { Hint, ReplicaStore } from '../replica-store.ts';
import type { HandoffOptions } from './options.ts';

export interface Delivery {
  readonly target: NodeId;
  reachable: boolean;
  phase: 'idle' | 'sent' | 'removing';
  /** When to try next, while idle; Infinity: nothing is known to be left. */
  dueMs: Millis;
  /** Until when the acknowledgement may come, while sent. */
  deadlineMs: Millis;
  /** Of the message in flight; 0: none. */
  stream: number;
  bunch: readonly Hint[];
  /** Hints in the next bunch at most. */
  count: number;
  failures: number;
  /** Refused alone: hint id → when it may be tried again. */
  readonly aside: Map<number, Millis>;
}

export function newDelivery(target: NodeId, count: number): Delivery {
  return {
    target,
    reachable: false,
    phase: 'idle',
    dueMs: Infinity,
    deadlineMs: Infinity,
    stream: 0,
    bunch: [],
    count,
    failures: 0,
    aside: new Map(),
  };
}

/** The next hints to deliver, without those set aside. Throws what the store throws. */
export function nextBunch(
  delivery: Delivery,
  store: ReplicaStore,
  options: Required<HandoffOptions>,
  now: Millis,
): readonly Hint[] {
  for (const [id, until] of delivery.aside) if (until <= now) delivery.aside.delete(id);
  // Those set aside come first in the store's order, so ask for as many more.
  const more = delivery.aside.size;
  const bytes = more === 0 ? options.bunchBytes : Infinity;
  const hints = store.hints(delivery.target, { count: delivery.count + more, bytes });
  const bunch: Hint[] = [];
  let size = 0;
  for (const hint of hints) {
    if (delivery.aside.has(hint.id)) continue;
    size += hint.address.length + hint.record.length;
    if (bunch.length === delivery.count || (bunch.length > 0 && size > options.bunchBytes)) break;
    bunch.push(hint);
  }
  return bunch;
}

export function itemsOf(bunch: readonly Hint[]): readonly ReplicaItem[] {
  return bunch.map(({ address, record }) => ({ address, record }));
}

/** The wait after `failures` in a row: doubling, bounded, of which a random half so that many senders spread out. */
export function backoffMs(failures: number, options: Required<HandoffOptions>, random: Random): number {
  const doubled = Math.min(options.retryAfterMsMax, options.retryAfterMs * 2 ** Math.min(failures - 1, 30));
  return Math.ceil(doubled / 2) + below(random, Math.floor(doubled / 2) + 1);
}
