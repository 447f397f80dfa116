/** What a round and the answering side need of AntiEntropy: its collaborators, its counters, and the time last told. */
import type { Alarm } from '../alarm.ts';
import type { RecordSenderDependencies } from '../background.ts';
import type { Millis, Reachability } from '../effects.ts';
import type { NodeId } from '../messages.ts';
import type { SharedSlots } from './leaves.ts';
import type { AntiEntropyOptions } from './options.ts';

export interface AntiEntropyDependencies extends RecordSenderDependencies {
  readonly self: NodeId;
  /** For each other owner and group, the slots shared with it in the present ring epoch. */
  readonly peers: () => Iterable<SharedSlots>;
  readonly ringEpoch: () => number;
  readonly reach: Reachability;
  /**
   * This node holds all that `peer` held when asked, in every slot from `fromSlot` to `toSlot` (inclusive), and the other way
   * round: the leaves were equal, or the slot was gone through without any error.
   */
  readonly onAgreed?: (agreed: Agreement) => void;
  readonly options?: AntiEntropyOptions;
}

export interface Agreement {
  readonly peer: NodeId;
  readonly group: number;
  readonly fromSlot: number;
  readonly toSlot: number;
}

/** How a round ended. */
export type RoundEnd = 'complete' | 'refused' | 'timeout' | 'unreachable' | 'epoch' | 'protocol';

export interface AntiEntropyCounters {
  /** Rounds begun here, and how they ended. */
  rounds: number;
  readonly ends: Record<RoundEnd, number>;
  /** Leaves (not zero) sent to be compared. */
  leavesSent: number;
  slotsDiffering: number;
  /** Of them those in which no key differed once looked at: a write was under way, or a leaf is wrong. */
  slotsPhantom: number;
  /** Slots given up in a round after an error or a refusal. */
  slotsFailed: number;
  keysListed: number;
  recordsSent: number;
  recordsReceived: number;
  /** Reads and merges that the local store failed. */
  storeErrors: number;
  /** On the answering side: messages answered, messages refused, records handed out. */
  answered: number;
  refused: number;
  recordsAnswered: number;
}

export interface AntiEntropyContext {
  readonly deps: AntiEntropyDependencies;
  readonly options: Required<AntiEntropyOptions>;
  readonly counters: AntiEntropyCounters;
  readonly alarm: Alarm;
  /** The latest time told, for what the store calls back. */
  now: Millis;
}

export function newCounters(): AntiEntropyCounters {
  return {
    rounds: 0,
    ends: { complete: 0, refused: 0, timeout: 0, unreachable: 0, epoch: 0, protocol: 0 },
    leavesSent: 0,
    slotsDiffering: 0,
    slotsPhantom: 0,
    slotsFailed: 0,
    keysListed: 0,
    recordsSent: 0,
    recordsReceived: 0,
    storeErrors: 0,
    answered: 0,
    refused: 0,
    recordsAnswered: 0,
  };
}
