/**
 * What happened, in 64 bits: a rolling hash of (virtual time, node, kind of event, digest of what it carries). Equal seeds must
 * give equal hashes; where they do not, something in a node does not come through the runtime.
 */
import { crc32 } from 'node:zlib';

export class TraceHash {
  #high = 0x9e3779b9 | 0;
  #low = 0x7f4a7c15 | 0;
  #count = 0;

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  add(timeUs: number, node: number, kind: number, digest: number): void {
    this.#count++;
    this.#mix(timeUs | 0);
    this.#mix(Math.floor(timeUs / 2 ** 32) ^ (node << 16) ^ (kind << 8));
    this.#mix(digest);
  }

  /** Sixteen hex digits. */
  toString(): string {
    const half = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return half(this.#high) + half(this.#low);
  }

  #mix(value: number): void {
    let low = Math.imul(this.#low ^ value, 0x85ebca6b);
    low ^= low >>> 15;
    this.#high = Math.imul(this.#high ^ low ^ (value << 7), 0xc2b2ae35);
    this.#high ^= this.#high >>> 13;
    this.#low = (low + this.#high) | 0;
  }
}

export function digestOf(bytes: Uint8Array | string): number {
  return crc32(bytes as Uint8Array) | 0;
}
