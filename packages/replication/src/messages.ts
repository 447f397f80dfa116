/**
 * Everything nodes say to each other. Plain data; message-codec.ts gives the bytes (docs/protocol.md "Messages").
 *
 * A request carries `stream`, chosen by the sender and unique among its requests in flight to anybody; the reply repeats it.
 * Every message travels with the sender's hybrid time (in the envelope, not here). Every handler is idempotent: messages may
 * be lost, repeated, reordered, and arrive late.
 */
import type { OperationResult, WriteOperation } from './operation-types.ts';

/** A node's name, unique in the cluster: 1-32 characters of [A-Za-z0-9._-]. */
export type NodeId = string;

/** Identity of one client request: entry node, its incarnation, and a number it gives once per incarnation. */
export interface RequestId {
  readonly entry: NodeId;
  readonly incarnation: number;
  readonly n: number;
}

/** What every request about data carries. */
export interface RequestHeader {
  readonly id: RequestId;
  /** Milliseconds left until the sender gives up. */
  readonly remainingMs: number;
  readonly ringEpoch: number;
  /** Phase of the slot's move: 0 = old (no move). */
  readonly slotPhase: number;
  readonly keyspace: number;
  readonly keyspaceVersion: number;
  /** 0: not traced. */
  readonly traceId: number;
}

export type Durability = 'memory' | 'os' | 'sync';

/** N/R/W of one request. `pr`, `pw`: of them primaries (the row). `dw`: of W, durable. 0 = no demand. */
export interface Consistency {
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly pr: number;
  readonly pw: number;
  readonly dw: number;
  readonly mode: 'sloppy' | 'strict';
  readonly durability: Durability;
  readonly timeoutMs: number;
}

export type {
  AddFloatOperation,
  AddOperation,
  AppendOperation,
  DeleteOperation,
  ExpireOperation,
  OperationResult,
  PutOperation,
  SetRangeOperation,
  Supersedes,
  WriteOperation,
} from './operation-types.ts';

/** A record and where it belongs. `address`: canonical bytes, see address.ts. `record`: see record-codec.ts. */
export interface ReplicaItem {
  readonly address: Uint8Array;
  readonly record: Uint8Array;
}

/** Why a state travels: a client's write, repair after a read, delivery of a hint, or an exchange. All are merged alike. */
export type ReplicatePurpose = 'write' | 'repair' | 'handoff' | 'exchange';

export interface ForwardMessage {
  readonly kind: 'forward';
  readonly stream: number;
  readonly header: RequestHeader;
  readonly consistency: Consistency;
  readonly address: Uint8Array;
  readonly operation: WriteOperation;
}

export interface ForwardReplyMessage {
  readonly kind: 'forward-reply';
  readonly stream: number;
  readonly outcome: WriteOutcome;
  /** What the coordinator did, when the request's header named a trace. */
  readonly trace?: readonly TraceStep[];
}

/**
 * What a step of a traced request was. `asked` for a record, and `answered`; `sent` a record to keep, and `stored`; `refused`
 * either; `lost`: the connection went; `merged`: the coordinator's own replica has the operation; `hint`: one is kept for the
 * node; `repaired`: an owner that was behind is sent what is newer; `ended`: with the outcome in the note.
 */
export type TraceWord =
  | 'forwarded'
  | 'coordinates'
  | 'asked'
  | 'answered'
  | 'merged'
  | 'sent'
  | 'stored'
  | 'refused'
  | 'lost'
  | 'hint'
  | 'repaired'
  | 'ended';

/** One step of a traced request, as one node saw it. */
export interface TraceStep {
  /** Microseconds since the node that tells of it began with the request. */
  readonly atUs: number;
  readonly word: TraceWord;
  /** Whom it concerns. */
  readonly node: NodeId;
  /** `none` where it means nothing. */
  readonly role: 'none' | 'owner' | 'fallback';
  /** Encoded version vector of the record that is spoken of; undefined: absent, or none is. */
  readonly context: Uint8Array | undefined;
  /** Values in that record, tombstones too. */
  readonly siblings: number;
  /** For people. */
  readonly note: string;
}

export interface ReplicateMessage {
  readonly kind: 'replicate';
  readonly stream: number;
  readonly header: RequestHeader;
  readonly purpose: ReplicatePurpose;
  /** Set when the receiver is a fallback: keep the items as hints for this owner. */
  readonly hintFor: NodeId | undefined;
  /** Answer once the items are held to this degree. */
  readonly durability: Durability;
  readonly items: readonly ReplicaItem[];
}

export interface ReplicateReplyMessage {
  readonly kind: 'replicate-reply';
  readonly stream: number;
  readonly status: 'stored' | 'refused';
  /** '' when stored; else why: 'not-owner' | 'failed' | 'expired' | 'phase' | 'overload' | 'corrupt'. */
  readonly reason: string;
}

export interface FetchMessage {
  readonly kind: 'fetch';
  readonly stream: number;
  readonly header: RequestHeader;
  readonly addresses: readonly Uint8Array[];
}

export interface FetchReplyMessage {
  readonly kind: 'fetch-reply';
  readonly stream: number;
  readonly status: 'ok' | 'refused';
  readonly reason: string;
  /** `fallback`: not in the row; answered from hints. */
  readonly role: 'owner' | 'fallback';
  /** The log's tail is in doubt and no exchange has been made since: counts for no strict quorum. */
  readonly doubt: boolean;
  /** One per address, `undefined` = absent. Empty when refused. */
  readonly records: readonly (Uint8Array | undefined)[];
}

/** One line of the membership table; see membership/member.ts. */
export interface MemberDigest {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly incarnation: number;
  readonly heartbeat: number;
  readonly state: 'alive' | 'suspect' | 'dead' | 'left';
  /** Distinct nodes that have said independently that they do not hear from it in this incarnation, sorted. */
  readonly suspectedBy: readonly NodeId[];
  /** Failure state of the node itself (FAULTS A4): 'OK', 'FAILED', … */
  readonly health: string;
}

export interface GossipMessage {
  readonly kind: 'gossip';
  readonly stream: number;
  readonly members: readonly MemberDigest[];
}

export interface GossipReplyMessage {
  readonly kind: 'gossip-reply';
  readonly stream: number;
  readonly members: readonly MemberDigest[];
}

/** 128 bits as four u32; see anti-entropy/record-hash.ts. */
export type Hash128 = readonly [number, number, number, number];

/** Sums of record hashes of a slot. All slots of [fromSlot, toSlot] that are absent here are zero. */
export interface ExchangeLeavesMessage {
  readonly kind: 'exchange-leaves';
  readonly stream: number;
  readonly ringEpoch: number;
  /** The N of the replica group. */
  readonly group: number;
  readonly fromSlot: number;
  readonly toSlot: number;
  readonly leaves: readonly { readonly slot: number; readonly leaf: Hash128 }[];
}

export interface ExchangeLeavesReplyMessage {
  readonly kind: 'exchange-leaves-reply';
  readonly stream: number;
  readonly status: 'ok' | 'refused';
  /** Slots of the asked range that both own and whose leaves differ, ascending. */
  readonly differing: readonly number[];
}

/** What the sender holds in one slot, from `after` (exclusive, empty = start) to `until` (inclusive, empty = end of slot), by address. */
export interface ExchangeKeysMessage {
  readonly kind: 'exchange-keys';
  readonly stream: number;
  readonly ringEpoch: number;
  readonly group: number;
  readonly slot: number;
  readonly after: Uint8Array;
  readonly until: Uint8Array;
  readonly keys: readonly { readonly address: Uint8Array; readonly hash: Hash128 }[];
}

export interface ExchangeKeysReplyMessage {
  readonly kind: 'exchange-keys-reply';
  readonly stream: number;
  readonly status: 'ok' | 'refused';
  /** Addresses whose records the answering node lacks or holds differently: send them. */
  readonly wanted: readonly Uint8Array[];
  /** Its own records of the range that differ or that the asker lacks; at most a bounded number, see `covered`. */
  readonly items: readonly ReplicaItem[];
  /** The range is answered up to this address (inclusive); empty = the whole range. */
  readonly covered: Uint8Array;
}

/** Asks an owner for a page of what it holds in a range of slots: SCAN, KEYS, DBSIZE. */
export interface ScanMessage {
  readonly kind: 'scan';
  readonly stream: number;
  readonly header: RequestHeader;
  readonly fromSlot: number;
  readonly toSlot: number;
  /** Exclusive, in the order of addresses; empty: from the first of the range. Any bytes will do, not only an address. */
  readonly after: Uint8Array;
  /** Records at most; the answer may be shorter, and yet not be the end. */
  readonly limit: number;
}

/** One record of a page, live or not: who merges pages must know of deletes too. */
export interface ScannedRecord {
  readonly address: Uint8Array;
  readonly hash: Hash128;
  /** GET would find a value now, by the answering node's hybrid clock. */
  readonly live: boolean;
  readonly expires: boolean;
  /** RECORD_TYPE_…; see record.ts. */
  readonly type: number;
}

export interface ScanReplyMessage {
  readonly kind: 'scan-reply';
  readonly stream: number;
  readonly status: 'ok' | 'refused';
  /** As in FetchReplyMessage. */
  readonly doubt: boolean;
  /** Ascending by address. */
  readonly records: readonly ScannedRecord[];
  /** Nothing up to here (inclusive) is missing from the page; empty: the whole range is answered. */
  readonly covered: Uint8Array;
}

export type Message =
  | ScanMessage
  | ScanReplyMessage
  | ForwardMessage
  | ForwardReplyMessage
  | ReplicateMessage
  | ReplicateReplyMessage
  | FetchMessage
  | FetchReplyMessage
  | GossipMessage
  | GossipReplyMessage
  | ExchangeLeavesMessage
  | ExchangeLeavesReplyMessage
  | ExchangeKeysMessage
  | ExchangeKeysReplyMessage;

/**
 * How a request ended. `failed`: certainly nothing happened anywhere. `indeterminate`: it may have, or may yet, take
 * effect. Clients must not fold the two together.
 */
export type WriteOutcome =
  | {
      readonly status: 'ok';
      /** Encoded version vector of the record after the write. */
      readonly context: Uint8Array;
      /** Distinct nodes that hold it to the durability asked for. */
      readonly acknowledged: number;
      /** Of them fallbacks, holding it as a hint. */
      readonly hinted: number;
      /**
       * Values that the record has after a write that did not supersede all that was held; absent: one. Where there are more,
       * the writer has not seen them all, and must not be told that `context` is what it has seen.
       */
      readonly siblings?: number;
      readonly result: OperationResult;
    }
  | { readonly status: 'failed'; readonly reason: FailureReason; readonly detail: string }
  | { readonly status: 'indeterminate'; readonly reason: FailureReason; readonly detail: string };

export type ReadOutcome =
  | {
      readonly status: 'ok';
      /** The merge of all answers, `undefined` = absent everywhere asked. */
      readonly record: Uint8Array | undefined;
      readonly answered: number;
      /** A fallback's answer was needed: what owners hold may be newer. */
      readonly degraded: boolean;
    }
  | { readonly status: 'failed'; readonly reason: FailureReason; readonly detail: string };

/** `rejected`: the operation makes no sense on what is held; the detail is Redis's error text. `quorum`: too few replicas answered in time. `unreachable`: too few can be reached at all. */
export type FailureReason =
  | 'quorum'
  | 'unreachable'
  | 'refused'
  | 'overload'
  | 'engine'
  | 'limit'
  | 'rejected'
  | 'stopping';
