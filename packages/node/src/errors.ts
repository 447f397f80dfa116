/** Codes are API and have a heading each in docs/errors.md; messages are not API. */
export type NodeErrorCode =
  | 'NODE_BAD_CONFIG' // a setting is missing, unknown or out of its range
  | 'NODE_PORT_IN_USE' // another process listens on the port
  | 'NODE_LISTEN' // listening failed for another reason
  | 'NODE_NOT_STARTED' // used before start
  | 'NODE_WRONG_DIRECTORY' // the data directory belongs to another node
  | 'NODE_BAD_STATE' // the node's own state cannot be read
  | 'NODE_IDENTITY_CONFLICT' // others know a later incarnation of this node
  | 'NODE_RECORD_TOO_LARGE' // a record with its siblings would exceed what nodes can send each other
  | 'NODE_BAD_FRAME' // bytes from a peer are not a frame of this protocol
  | 'NODE_BAD_HELLO' // a peer's first frame is not a hello
  | 'NODE_BAD_RESP'; // a client's bytes are not RESP

export interface NodeErrorDetails {
  readonly cause?: unknown;
}

export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string, details: NodeErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
  }
}
