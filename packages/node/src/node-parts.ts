/** The parts of a running node that the driver joins. */
import type { ReplicaStore, SharedSlots } from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { NodeConfig } from './config.ts';
import type { Replica } from './replica/replica.ts';
import type { SlotCoverage } from './replica/slot-coverage.ts';
import type { Runtime } from './runtime.ts';
import type { Transport } from './transport/transport.ts';

export interface NodeParts {
  readonly self: string;
  readonly incarnation: number;
  readonly config: Required<NodeConfig>;
  readonly runtime: Runtime;
  readonly ring: Ring;
  readonly replica: Replica;
  readonly store: ReplicaStore;
  readonly coverage: SlotCoverage;
  readonly transport: Transport;
  /** For each other owner, the slots that both own. */
  readonly sharedSlots: readonly SharedSlots[];
  readonly clusterId: Buffer;
  /** Slots in which hints for the node may be kept here. */
  readonly hintSlots: (target: string) => number;
  /** The engine takes no more writes. */
  readonly failed: () => boolean;
  /** Somebody knows a later incarnation of this node than the one it runs with. */
  readonly onNewerSelf: (incarnation: number) => void;
}

/** As the membership tells others of this node. */
export function memberAddress(parts: NodeParts): { id: string; host: string; port: number; peerPort: number } {
  const { id, host, port, peerPort } = parts.config;
  return { id, host, port, peerPort };
}
