/** What a client may ask of one key, and what it is told: the operations that coordinators evaluate (operation.ts). */

/** `supersedes`: what a new value replaces: all that the coordinator holds (plain SET), nothing (a sibling on purpose), or exactly an encoded version vector (version-vector.ts) that the client has seen. */
export type Supersedes = 'held' | 'nothing' | Uint8Array;

export interface PutOperation {
  readonly type: 'put';
  readonly value: Uint8Array;
  readonly supersedes: Supersedes;
  /** Milliseconds since 1970 when the value expires; 'keep': as the winner that it replaces; undefined: never. */
  readonly deadline?: number | 'keep';
  /** Only when the key is absent (NX) or present (XX) in what the coordinator holds or has read. */
  readonly condition?: 'absent' | 'present';
  /** Only whether there was a value is wanted, not its bytes: they need not travel. */
  readonly answer?: 'presence';
}

/** Not applied, with 'held', when nothing is there to delete. */
export interface DeleteOperation {
  readonly type: 'delete';
  readonly supersedes: Supersedes;
  readonly answer?: 'presence';
}

/** EXPIRE family and PERSIST. Not applied when the key is absent. A deadline in the past deletes, as in Redis. */
export interface ExpireOperation {
  readonly type: 'expire';
  /** FOREVER_MS (record.ts) for PERSIST. */
  readonly atMs: number;
  /** 'XX-LT': both at once (XX with GT is GT alone: a key without a deadline is never exceeded). */
  readonly condition?: 'NX' | 'XX' | 'GT' | 'LT' | 'XX-LT';
  readonly answer?: 'presence';
}

/** APPEND: the winner's bytes, then these; keeps the deadline. */
export interface AppendOperation {
  readonly type: 'append';
  readonly value: Uint8Array;
}

export interface SetRangeOperation {
  readonly type: 'set-range';
  readonly offset: number;
  readonly value: Uint8Array;
}

/** INCRBY and DECRBY on a counter (crdt/counter.ts): 64-bit signed, idempotent by the request's id. */
export interface AddOperation {
  readonly type: 'add';
  readonly delta: bigint;
  /** 16 bytes, the client's own name for the request (KVD.WITH REQUEST): stands in for the request's id, so that a retry by any way counts once. */
  readonly requestToken?: Uint8Array;
  /** Set by the entry node: an earlier coordinator of this request may have run it. */
  readonly repeated?: boolean;
}

/** INCRBYFLOAT. `delta` is the decimal text that the client gave. */
export interface AddFloatOperation {
  readonly type: 'add-float';
  readonly delta: string;
  /** As in AddOperation. */
  readonly requestToken?: Uint8Array;
  /** As in AddOperation. */
  readonly repeated?: boolean;
}

/**
 * What a client asks of one key. The coordinator evaluates it (operation.ts) on what it holds, merged with what it has read,
 * in one synchronous section, so that two of them never build on the same base.
 */
export type WriteOperation =
  | PutOperation
  | DeleteOperation
  | ExpireOperation
  | AppendOperation
  | SetRangeOperation
  | AddOperation
  | AddFloatOperation;

/** What an operation found and made. */
export interface OperationResult {
  /** False: a condition did not hold (NX, XX, an absent key), and nothing was written. */
  readonly applied: boolean;
  /** put, delete, expire: the winner's bytes before (undefined: absent; empty if only presence was asked for). add, add-float: the new value as decimal text. append, set-range: the new length as decimal text. */
  readonly value: Uint8Array | undefined;
}
