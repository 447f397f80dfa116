/**
 * Addresses from elsewhere, checked before they become keys of the engine: one that is no record's could otherwise name the
 * node's own area, or what no listing of its slot shows and its leaf counts all the same.
 */
import { decodeAddress, ReplicationError } from '@kvd/replication';

/** Throws REPLICATION_BAD_ADDRESS unless it is the address of a record of the one keyspace there is. */
export function checkAddress(address: Uint8Array): void {
  const { keyspace, generation } = decodeAddress(address);
  if (keyspace === 0 && generation === 0) return;
  throw new ReplicationError('REPLICATION_BAD_ADDRESS', `address of keyspace ${keyspace}, generation ${generation}`);
}

export function isAddress(address: Uint8Array): boolean {
  try {
    checkAddress(address);
    return true;
  } catch {
    return false;
  }
}
