/**
 * CRC-32 (polynomial 0xEDB88320, as in zlib and gzip), as an unsigned 32-bit integer. Two implementations of the same
 * function: crc-32 in JavaScript for short input, where a call into zlib costs more than the work, and zlib above that.
 */
import { crc32 as nativeCrc32 } from 'node:zlib';
import jsCrc32 from 'crc-32';

/** Measured crossover: 400 to 512 bytes. */
const NATIVE_FROM_BYTES = 448;

export function crc32(bytes: Uint8Array): number {
  return bytes.length >= NATIVE_FROM_BYTES ? nativeCrc32(bytes) : jsCrc32.buf(bytes) >>> 0;
}
