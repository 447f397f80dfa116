/** HMAC-SHA-256 of the system's crypto library: it computes and touches nothing, so that the simulator uses it too. */
import { createHmac } from 'node:crypto';

export const MAC_BYTES = 32;

/** The MAC of `bytes` under `key`, MAC_BYTES long. A key of any length is fine. */
export function nodeMac(key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac('sha256', key).update(bytes).digest();
}
