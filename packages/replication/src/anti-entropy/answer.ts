/**
 * The answering side of an exchange. It keeps nothing between two messages: each is answered at once from the store, within the
 * limits of one message, so lost, repeated and late questions cost only their answer.
 *
 * Refused: another ring epoch, slots that the two do not share, a question that breaks the rules, a store that fails.
 */
import type {
  ExchangeKeysMessage,
  ExchangeKeysReplyMessage,
  ExchangeLeavesMessage,
  ExchangeLeavesReplyMessage,
  NodeId,
} from '../messages.ts';
import type { AntiEntropyContext } from './context.ts';
import { compareAddresses, compareKeys, isOfSlot, type KeyComparison, NO_BYTES } from './keys.ts';
import { compareLeaves, type SharedSlots, type SlotRun } from './leaves.ts';
import { SLOTS_PER_MESSAGE_MAX } from './options.ts';

export function answerLeaves(
  context: AntiEntropyContext,
  from: NodeId,
  message: ExchangeLeavesMessage,
): ExchangeLeavesReplyMessage {
  const { stream } = message;
  const shared = sharedWith(context, from, message);
  if (shared === undefined || slotsInRange(shared.runs, message) > SLOTS_PER_MESSAGE_MAX) {
    context.counters.refused++;
    return { kind: 'exchange-leaves-reply', stream, status: 'refused', differing: [] };
  }
  const { differing, errors } = compareLeaves(message, shared, context.deps.store);
  context.counters.answered++;
  context.counters.storeErrors += errors;
  return { kind: 'exchange-leaves-reply', stream, status: 'ok', differing };
}

export function answerKeys(
  context: AntiEntropyContext,
  from: NodeId,
  message: ExchangeKeysMessage,
): ExchangeKeysReplyMessage {
  const { stream } = message;
  const comparison = compareFor(context, from, message);
  if (comparison === undefined) {
    context.counters.refused++;
    return { kind: 'exchange-keys-reply', stream, status: 'refused', wanted: [], items: [], covered: NO_BYTES };
  }
  context.counters.answered++;
  context.counters.recordsAnswered += comparison.items.length;
  return { kind: 'exchange-keys-reply', stream, status: 'ok', ...comparison };
}

function compareFor(
  context: AntiEntropyContext,
  from: NodeId,
  message: ExchangeKeysMessage,
): KeyComparison | undefined {
  const { options, deps, counters } = context;
  const shared = sharedWith(context, from, message);
  if (shared === undefined || !hasSlot(shared.runs, message.slot) || !isWellFormed(message)) return undefined;
  try {
    const limits = { keys: options.keysPerMessage * 2, bytes: options.messageBytes };
    const comparison = compareKeys(message, deps.store, limits);
    if (comparison === undefined) counters.storeErrors++;
    return comparison;
  } catch {
    counters.storeErrors++;
    return undefined;
  }
}

function sharedWith(
  { deps }: AntiEntropyContext,
  from: NodeId,
  asked: { readonly ringEpoch: number; readonly group: number },
): SharedSlots | undefined {
  if (asked.ringEpoch !== deps.ringEpoch()) return undefined;
  for (const shared of deps.peers()) if (shared.peer === from && shared.group === asked.group) return shared;
  return undefined;
}

function slotsInRange(runs: Iterable<SlotRun>, range: { readonly fromSlot: number; readonly toSlot: number }): number {
  let slots = 0;
  for (const [from, to] of runs) {
    slots += Math.max(0, Math.min(to, range.toSlot) - Math.max(from, range.fromSlot) + 1);
  }
  return slots;
}

function hasSlot(runs: Iterable<SlotRun>, slot: number): boolean {
  for (const [from, to] of runs) if (from <= slot && slot <= to) return true;
  return false;
}

/** Keys of that slot alone, ascending, after `after` and up to `until`: the walk over both lists relies on it. */
function isWellFormed({ slot, after, until, keys }: ExchangeKeysMessage): boolean {
  let before = after;
  for (const { address } of keys) {
    if (!isOfSlot(address, slot) || compareAddresses(address, before) <= 0) return false;
    before = address;
  }
  return until.length === 0 || compareAddresses(before, until) <= 0;
}
