/**
 * What machines want done. A machine never does IO: it is told what happened and the time, and calls its sink. The driver in
 * @kvd/node carries the calls out; a test's sink records them.
 *
 * A message to oneself is sent like any other; the driver makes it a direct call, under the same rule: the reply to a
 * `replicate` comes when the data is as durable as asked.
 */
import type { Message, NodeId, ReadOutcome, RequestId, WriteOperation, WriteOutcome } from './messages.ts';

/** Milliseconds of the node's monotonic clock. */
export type Millis = number;

export interface Sender {
  send(to: NodeId, message: Message): void;
}

/** Asks for `tick(now)` at `at` or soon after; an earlier request stays in force. */
export interface Wakeups {
  wakeAt(at: Millis): void;
}

/** What the node can reach now: by its connections, never by the gossip verdict. The node itself is always reachable. */
export interface Reachability {
  reachable(node: NodeId): boolean;
}

export interface CoordinateRequest {
  /** Of the client's request: what was run under it before is not run again, where the operation can tell. */
  readonly requestId: RequestId;
  readonly address: Uint8Array;
  readonly operation: WriteOperation;
  /** Records read from other replicas, to be merged in before the write is applied. */
  readonly seen: readonly Uint8Array[];
  readonly durability: 'memory' | 'os' | 'sync';
  /** Owners that are known to be out of reach: keep a hint for each in the same batch. */
  readonly hintFor: readonly NodeId[];
}

export interface WriteEffects extends Sender, Wakeups {
  /**
   * Read the local record, run the operation on it, store. The driver answers with `coordinator.merged` (as soon as the state
   * is in the memtable: may be called within this call) and then `coordinator.stored` (once durable as asked); or, when there
   * was nothing to write, with `coordinator.unchanged`.
   */
  coordinate(stream: number, request: CoordinateRequest): void;
  /** Keep a durable hint for `target` here: it has not acknowledged. */
  keepHint(target: NodeId, address: Uint8Array, record: Uint8Array): void;
  finish(stream: number, outcome: WriteOutcome): void;
}

export interface ReadEffects extends Sender, Wakeups {
  finish(stream: number, outcome: ReadOutcome): void;
}
