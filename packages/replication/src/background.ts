/**
 * What the machines that work behind the requests (gossip, handoff, anti-entropy) share. Their messages carry no client
 * request, so the node gives them stream numbers and headers of its own.
 */
import type { Sender, Wakeups } from './effects.ts';
import type { RequestHeader } from './messages.ts';
import type { Random } from './random.ts';
import type { ReplicaStore } from './replica-store.ts';

export interface BackgroundDependencies {
  readonly out: Sender & Wakeups;
  readonly random: Random;
  /** A number that no other request of this node in flight has. */
  readonly nextStream: () => number;
}

/** For machines that send records. */
export interface RecordSenderDependencies extends BackgroundDependencies {
  readonly store: ReplicaStore;
  /**
   * A header for a `replicate` of this node's own: a fresh request id, the present ring epoch, the milliseconds left. Its items
   * may belong to several keyspaces, so its `keyspace` says nothing: the receiver goes by the addresses.
   */
  readonly header: (remainingMs: number) => RequestHeader;
}
