/** MurmurHash3 x86 128 (Austin Appleby, public domain): quick, well spread, no protection against whoever seeks collisions. */
import type { Hash128 } from './messages.ts';

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mixKey(key: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(key, first), bits), second);
}

function finalMix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The little-endian word at `at` of which only the bytes before `end` exist; the others are zero. */
function partialWordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, end) - 1; i >= at; i--) word = (word << 8) | (bytes[i] as number);
  return word;
}

/** MurmurHash3_x86_128 of the first `length` bytes. */
export function murmur3(bytes: Uint8Array, length: number, seed: number): Hash128 {
  let h1 = seed | 0;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;
  const tail = length & ~15;
  for (let at = 0; at < tail; at += 16) {
    h1 ^= mixKey(wordAt(bytes, at), C1, 15, C2);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= mixKey(wordAt(bytes, at + 4), C2, 16, C3);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= mixKey(wordAt(bytes, at + 8), C3, 17, C4);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= mixKey(wordAt(bytes, at + 12), C4, 18, C1);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= mixKey(partialWordAt(bytes, tail, length), C1, 15, C2) ^ length;
  h2 ^= mixKey(partialWordAt(bytes, tail + 4, length), C2, 16, C3) ^ length;
  h3 ^= mixKey(partialWordAt(bytes, tail + 8, length), C3, 17, C4) ^ length;
  h4 ^= mixKey(partialWordAt(bytes, tail + 12, length), C4, 18, C1) ^ length;
  return spread(finalMixed(spread([h1, h2, h3, h4])));
}

function finalMixed(hash: Hash128): Hash128 {
  return [finalMix(hash[0]), finalMix(hash[1]), finalMix(hash[2]), finalMix(hash[3])];
}

/** Every lane takes in all others. */
function spread([h1, h2, h3, h4]: Hash128): Hash128 {
  const sum = (h1 + h2 + h3 + h4) >>> 0;
  return [sum, (h2 + sum) >>> 0, (h3 + sum) >>> 0, (h4 + sum) >>> 0];
}
