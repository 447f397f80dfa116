/** What the transport has done since it was made. Messages, unless it says otherwise. */
export interface TransportCounters {
  sent: number;
  received: number;
  /** Requests to a peer that could not be reached. */
  droppedUnreachable: number;
  /** Replies whose connection had gone, or whose request was not known. */
  droppedReplies: number;
  /** More waited for the peer than may, or the message was too large. */
  droppedOverflow: number;
  /** Requests on a connection for replies, or the other way. */
  droppedMisdirected: number;
  /** Questions for records that were answered later, since much waited for the peer. */
  heldFetches: number;
  /** Waited past their deadline, or past `queueMs`. */
  expired: number;
  /** Connections whose handshake succeeded. */
  opened: number;
  /** Connections that were refused, by either end. */
  refused: number;
  /** Connections closed because of bytes that were no frame. */
  badFrames: number;
  /** Connections closed because of a frame that was no message. */
  badMessages: number;
}

export function createCounters(): TransportCounters {
  return {
    sent: 0,
    received: 0,
    droppedUnreachable: 0,
    droppedReplies: 0,
    droppedOverflow: 0,
    droppedMisdirected: 0,
    heldFetches: 0,
    expired: 0,
    opened: 0,
    refused: 0,
    badFrames: 0,
    badMessages: 0,
  };
}
