/** How long a message will probably be in bytes, before it is encoded. */
import type { Message, WriteOperation } from './messages.ts';

const LEAF_BYTES = 19;
const SMALL_MESSAGE_BYTES = 256;
const LENGTHS_BYTES = 16;

/** About as many bytes as the message has: so that a large one is not copied again and again while the writer grows. */
export function sizeHint(message: Message): number {
  switch (message.kind) {
    case 'forward':
      return SMALL_MESSAGE_BYTES + message.address.length + valueBytesOf(message.operation);
    case 'forward-reply':
      return SMALL_MESSAGE_BYTES + (message.outcome.status === 'ok' ? (message.outcome.result.value?.length ?? 0) : 0);
    case 'replicate':
      return SMALL_MESSAGE_BYTES + itemsBytes(message.items);
    case 'fetch-reply':
      return message.records.reduce((sum, record) => sum + LENGTHS_BYTES + (record?.length ?? 0), SMALL_MESSAGE_BYTES);
    case 'exchange-keys-reply':
      return SMALL_MESSAGE_BYTES + itemsBytes(message.items);
    case 'exchange-leaves':
      return SMALL_MESSAGE_BYTES + message.leaves.length * LEAF_BYTES;
    default:
      return SMALL_MESSAGE_BYTES;
  }
}

function valueBytesOf(operation: WriteOperation): number {
  return 'value' in operation ? operation.value.length : 0;
}

function itemsBytes(items: readonly { readonly address: Uint8Array; readonly record: Uint8Array }[]): number {
  let sum = 0;
  for (const item of items) sum += LENGTHS_BYTES + item.address.length + item.record.length;
  return sum;
}
