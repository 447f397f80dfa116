/** Why a write was not coordinated here, in the words that the client's outcome uses. */
import { LsmError } from '@kvd/lsm';
import { type FailureReason, ReplicationError } from '@kvd/replication';
import { NodeError } from '../errors.ts';

/** A record with its siblings may be this large: what one message between nodes carries. */
export const STATE_BYTES_MAX = 64 * 1024 * 1024 + 512 * 1024;

/** What the client asked for cannot be; nothing is wrong here. */
const LIMITS: ReadonlySet<string> = new Set([
  'REPLICATION_TOO_MANY_SIBLINGS',
  'REPLICATION_BAD_CONTEXT',
  'NODE_RECORD_TOO_LARGE',
]);

export function tooLarge(bytes: number, siblings: number): NodeError {
  const megabytes = (bytes / (1024 * 1024)).toFixed(1);
  return new NodeError(
    'NODE_RECORD_TOO_LARGE',
    `the record would have ${megabytes} MB with its ${siblings} values; ${STATE_BYTES_MAX / (1024 * 1024)} MB at most`,
  );
}

/** The client's own doing: nothing is wrong here. Of anything else it is not known what it has changed. */
export function reasonOfError(error: unknown): FailureReason {
  const code = error instanceof ReplicationError || error instanceof NodeError ? error.code : '';
  return LIMITS.has(code) ? 'limit' : 'engine';
}

/** Why the engine did not take a batch. LSM_BUSY and LSM_CLOSED promise that nothing happened. */
export function reasonOfRefusal(error: Error): FailureReason {
  const code = error instanceof LsmError ? error.code : '';
  if (code === 'LSM_BUSY') return 'overload';
  return code === 'LSM_CLOSED' ? 'stopping' : 'engine';
}
