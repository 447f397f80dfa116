import { crc32 } from 'node:zlib';

/** CRC-32 of zlib: finds damage, not deceit. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes);
}
