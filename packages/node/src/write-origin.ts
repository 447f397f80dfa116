/** Who is told of a coordinated write's outcome, and the outcomes that need no coordinator. */
import type { RequestHeader, WriteOutcome } from '@kvd/replication';

/** Before anything was asked of the replica: another node may do it. */
export const ENGINE_FAILED: WriteOutcome = {
  status: 'failed',
  reason: 'engine',
  detail: 'the storage engine of the coordinator takes no more writes',
};
export const NOT_UNDERSTOOD: WriteOutcome = {
  status: 'failed',
  reason: 'refused',
  detail: 'the coordinator does not know the keyspace, or cannot meet the consistency',
};

/** Who is to be told of a coordinated write's outcome. */
export type Origin =
  | { readonly from: undefined; readonly routerStream: number }
  | { readonly from: string; readonly stream: number; readonly header: RequestHeader };
