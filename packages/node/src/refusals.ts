/** How this node ends requests that it does not run: certainly nothing happened. */
import type { WriteOutcome } from '@kvd/replication';
import { FORWARD_AGE_MAX_MS } from './write-router.ts';

/** Before anything was asked of the replica: another node may do it. */
export const ENGINE_FAILED: WriteOutcome = {
  status: 'failed',
  reason: 'engine',
  detail: 'the storage engine of the coordinator takes no more writes',
};
/** Requests that this node has in flight, as entry and as coordinator. One more is refused. */
export const IN_FLIGHT_MAX = 50_000;
export const OVERLOADED = {
  status: 'failed',
  reason: 'overload',
  detail: `${IN_FLIGHT_MAX} requests are in flight here`,
} as const;
export const STALE: WriteOutcome = {
  status: 'failed',
  reason: 'refused',
  detail: `the request is older than ${FORWARD_AGE_MAX_MS} ms by the coordinator's clock`,
};
export const NOT_UNDERSTOOD: WriteOutcome = {
  status: 'failed',
  reason: 'refused',
  detail: 'the coordinator does not know the keyspace, or cannot meet the consistency',
};
export const STOPPING = { status: 'failed', reason: 'stopping', detail: 'the node is stopping' } as const;
