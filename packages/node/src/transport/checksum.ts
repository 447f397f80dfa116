/**
 * CRC-32 of frames (polynomial 0xEDB88320, as in zlib). Frames are seldom under 100 bytes, and from there on zlib's is as
 * quick as one in JavaScript or much quicker, so there is no second one here.
 */
import { crc32 } from 'node:zlib';

/** The checksum of `bytes` from `start` to `end`, as an unsigned 32-bit integer. */
export function checksum(bytes: Buffer, start: number, end: number): number {
  return crc32(bytes.subarray(start, end));
}
