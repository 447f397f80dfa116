/** Requests as the tests of both coordinators make them: N=3, R=W=2, sloppy, sync, 1000 ms, unless told otherwise. */
import type {
  Consistency,
  FetchReplyMessage,
  NodeId,
  ReplicateReplyMessage,
  RequestHeader,
} from '../../src/messages.ts';

export const ADDRESS = Uint8Array.of(1, 2, 3);

export const QUORUM: Consistency = {
  n: 3,
  r: 2,
  w: 2,
  pr: 0,
  pw: 0,
  dw: 0,
  mode: 'sloppy',
  durability: 'sync',
  timeoutMs: 1000,
};

export const HEADER: RequestHeader = {
  id: { entry: 'A', incarnation: 1, n: 1 },
  remainingMs: 1000,
  ringEpoch: 1,
  slotPhase: 0,
  keyspace: 0,
  keyspaceVersion: 1,
  traceId: 0,
};

export function replicateReply(stream: number, reason = ''): ReplicateReplyMessage {
  return { kind: 'replicate-reply', stream, status: reason === '' ? 'stored' : 'refused', reason };
}

export function fetchReply(
  stream: number,
  record: Uint8Array | undefined,
  more: Partial<FetchReplyMessage> = {},
): FetchReplyMessage {
  return {
    kind: 'fetch-reply',
    stream,
    status: 'ok',
    reason: '',
    role: 'owner',
    doubt: false,
    records: [record],
    ...more,
  };
}

/** Which nodes can be reached: all but those named. */
export class FakeReach {
  readonly away = new Set<NodeId>();

  reachable(node: NodeId): boolean {
    return !this.away.has(node);
  }
}
