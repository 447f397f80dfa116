/** Why the local replica did not run a write, in the words of outcomes. */
import { LsmError } from '@kvd/lsm';
import { type FailureReason, ReplicationError } from '@kvd/replication';

/** The client's own doing: nothing is wrong here. Of anything else it is not known what it has changed. */
export function reasonOfError(error: unknown): FailureReason {
  const code = error instanceof ReplicationError ? error.code : '';
  return code === 'REPLICATION_TOO_MANY_SIBLINGS' || code === 'REPLICATION_BAD_CONTEXT' ? 'limit' : 'engine';
}

/** Why the engine did not take a batch. LSM_BUSY and LSM_CLOSED promise that nothing happened. */
export function reasonOfRefusal(error: Error): FailureReason {
  const code = error instanceof LsmError ? error.code : '';
  if (code === 'LSM_BUSY') return 'overload';
  return code === 'LSM_CLOSED' ? 'stopping' : 'engine';
}
