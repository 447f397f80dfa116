/** Codes are API and have a heading each in docs/errors.md; messages are not API. */
export type ReplicationErrorCode =
  | 'REPLICATION_BAD_RECORD' // bytes are not the canonical form of a record
  | 'REPLICATION_BAD_CONTEXT' // bytes are not the canonical form of a version vector
  | 'REPLICATION_BAD_ADDRESS' // bytes are not a record's address or storage key
  | 'REPLICATION_BAD_MESSAGE' // a payload from a peer is malformed
  | 'REPLICATION_BAD_STATE' // bytes of the node's own tenures or lease are malformed
  | 'REPLICATION_DOT_REUSED' // one dot stands for two different writes
  | 'REPLICATION_TOO_MANY_SIBLINGS'; // the write would make more siblings than allowed

export class ReplicationError extends Error {
  override readonly name = 'ReplicationError';
  readonly code: ReplicationErrorCode;

  constructor(code: ReplicationErrorCode, message: string, details: { readonly cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
  }
}
