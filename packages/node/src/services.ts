/**
 * What the command layer may ask of the node. Everything answers by callback, possibly within the call; each callback is
 * called exactly once.
 */
import type {
  Consistency,
  Durability,
  MemberView,
  ReadOutcome,
  VersionVector,
  WriteOperation,
  WriteOutcome,
} from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { Access } from './access.ts';
import type { NodeConfig } from './config.ts';
import type { Trace } from './request-traces.ts';
import type { ScanPage, ScanRange } from './replica/record-scan.ts';
import type { Runtime } from './runtime.ts';
import type { ScanOutcome, ScanRequest } from './scan-reader.ts';

/** What a session or KVD.WITH sets over the keyspace's settings. */
export type ConsistencyOverrides = { -readonly [Field in keyof Consistency]?: Consistency[Field] };

export interface NodeStats {
  readonly uptimeMs: number;
  readonly incarnation: number;
  readonly clusterId: string;
  readonly health: string;
  /** Records owned or kept here, an estimate by the engine. */
  readonly engine: Readonly<Record<string, number>>;
  /** Requests, repairs, hints, exchanges: flat counters, for INFO and later metrics. */
  readonly counters: Readonly<Record<string, number>>;
  readonly hintsPending: Readonly<Record<string, number>>;
}

/** What only few requests ask for. */
export interface RequestOptions {
  /** Notes what is done for the request; of a forwarded write the coordinator's part comes with its reply. */
  readonly trace?: Trace;
  /** A read answers only with a record that has seen all of it, or fails. */
  readonly includes?: VersionVector;
}

/** A write of a client, and how many owners should hold it. */
export interface CopiesRequest {
  readonly key: Uint8Array;
  /** Encoded version vector: the outcome's. */
  readonly context: Uint8Array;
  readonly durability: Durability;
  readonly consistency: Consistency;
  /** Enough; those of the nodes that hold it, this node among them or not. */
  readonly isEnough: (copies: Copies) => boolean;
  readonly timeoutMs: number;
}

export interface Copies {
  readonly nodes: number;
  /** This node is one of them. */
  readonly here: boolean;
}

export interface NodeServices {
  readonly config: Required<NodeConfig>;
  readonly runtime: Runtime;
  /** The password of clients, and protected mode. */
  readonly access: Access;
  /** True: reads wait for what the connection has seen (CAUSAL ON). */
  readonly isCausal?: boolean;
  /** The wall part of this node's hybrid time, milliseconds since 1970: what expiry goes by. */
  hybridNowMs(): number;
  ring(): Ring;
  members(): readonly MemberView[];
  /** By connections, now. */
  reachable(id: string): boolean;
  stats(): NodeStats;
  /** The keyspace's settings with overrides; an error text (Redis style, without prefix) when they make no sense. */
  consistency(overrides: ConsistencyOverrides): Consistency | string;
  /** Coordinated read; the outcome's record is encoded (record-codec.ts). */
  read(key: Uint8Array, consistency: Consistency, done: (outcome: ReadOutcome) => void, options?: RequestOptions): void;
  write(
    key: Uint8Array,
    operation: WriteOperation,
    consistency: Consistency,
    done: (outcome: WriteOutcome) => void,
    options?: RequestOptions,
  ): void;
  /** A page of keys of the whole cluster, as R owners of them hold it. */
  scan(request: ScanRequest, done: (outcome: ScanOutcome) => void): void;
  /** A page of what this node holds of the slots of one run of the ring that it owns; `undefined`: it cannot be read. */
  scanLocal(range: ScanRange): ScanPage | undefined;
  /** How many owners hold the write, and whether this node is one. */
  countCopies(copies: CopiesRequest, done: (copies: Copies) => void): void;
  /** Nothing more is noted in the trace. Whoever gave one to a request must call this. */
  endTrace(trace: Trace): void;
  /** Under which context tokens are sealed: the same at every node of the cluster. */
  contextKey(): Uint8Array;
  /** The record in this node's own store, encoded: no peer, no repair, no hints. */
  readLocal(key: Uint8Array): Uint8Array | undefined;
}
