/** How many values a record has after a write that did not supersede all that was held. */
import type { WriteOperation } from '../messages.ts';
import { decodeTrustedRecord } from '../record-codec.ts';

/**
 * For the outcome: nothing to add when the record has one value. `state`: as this node's own replica made it. Only writes with
 * a context of their own, or none, can leave siblings; the others are not looked at.
 */
export function siblingsLeft(operation: WriteOperation, state: Uint8Array): { readonly siblings?: number } {
  if (operation.type !== 'put' && operation.type !== 'delete') return {};
  if (operation.supersedes === 'held') return {};
  const { length } = decodeTrustedRecord(state).values;
  return length > 1 ? { siblings: length } : {};
}
