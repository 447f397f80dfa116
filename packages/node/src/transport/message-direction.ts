/** Requests go to the peer on the connection that this node has dialled, replies go back on the one they came on. */
import type { Message } from '@kvd/replication';

const REPLIES: Readonly<Record<Message['kind'], boolean>> = {
  forward: false,
  'forward-reply': true,
  replicate: false,
  'replicate-reply': true,
  fetch: false,
  'fetch-reply': true,
  gossip: false,
  'gossip-reply': true,
  'exchange-leaves': false,
  'exchange-leaves-reply': true,
  'exchange-keys': false,
  'exchange-keys-reply': true,
  scan: false,
  'scan-reply': true,
};

export function isReply(message: Message): boolean {
  return REPLIES[message.kind];
}

/** Milliseconds that the sender of a message still waits for its effect, if the message says so. */
export function remainingMs(message: Message): number | undefined {
  return 'header' in message ? message.header.remainingMs : undefined;
}
