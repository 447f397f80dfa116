/** Hashes of the ring: to tell rings apart and to break ties the same way everywhere. Not against an adversary. */

/** MurmurHash3 x86 32-bit. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  let hash = seed | 0;
  const blocks = bytes.length & ~3;
  for (let i = 0; i < blocks; i += 4) hash = mixBlock(hash, block(bytes, i, 4));
  if (blocks < bytes.length) hash ^= scramble(block(bytes, blocks, bytes.length - blocks));
  return finish(hash ^ bytes.length);
}

/** 64 bits as 16 hexadecimal digits. */
export function fingerprint(bytes: Uint8Array): string {
  const half = (seed: number) => murmur3(bytes, seed).toString(16).padStart(8, '0');
  return half(0x6b766421) + half(0x72696e67);
}

/** A uint32 that looks random, of three others. */
export function chance(a: number, b: number, c: number): number {
  return finish(mixBlock(mixBlock(mixBlock(0, a), b), c));
}

function block(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = (value << 8) | (bytes[from + i] as number);
  return value;
}

function scramble(value: number): number {
  const product = Math.imul(value, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function mixBlock(hash: number, value: number): number {
  const mixed = hash ^ scramble(value);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
