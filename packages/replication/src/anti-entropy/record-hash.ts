/**
 * The hash by which replicas compare what they hold, and the sums of it that make a leaf.
 *
 * MurmurHash3 x86 128 (Austin Appleby, public domain), seeded by the cluster, of the record's address and header, which
 * has the checksums of the values but not their bytes. A leaf is, per u32 lane, the sum modulo 2^32 of the hashes of a
 * slot's records: a sum can be kept by adding new - old, in any order, and unlike XOR two equal changes do not cancel.
 */
import { asBuffer } from '../encoding.ts';
import type { Hash128 } from '../messages.ts';
import { recordHeaderBytes } from '../record-codec.ts';

export const LEAF_BYTES = 16;
export const ZERO_HASH: Hash128 = [0, 0, 0, 0];

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** What is hashed is put together here; grows to the longest address and header seen. */
let scratch = Buffer.allocUnsafe(512);

/** The seed of a cluster: every node of it hashes alike, and two clusters differ. */
export function hashOfCluster(clusterId: Uint8Array): number {
  return murmur3(clusterId, clusterId.length, 0)[0];
}

/** docs/formats.md "Records": record hash. Throws REPLICATION_BAD_RECORD when the header is malformed. */
export function recordHash(seed: number, address: Uint8Array, recordBytes: Uint8Array): Hash128 {
  const header = recordHeaderBytes(recordBytes);
  const length = 4 + address.length + header.length;
  if (scratch.length < length) scratch = Buffer.allocUnsafe(length * 2);
  // The length of the address comes first, so that no two pairs give the same bytes.
  scratch.writeUInt32LE(address.length, 0);
  scratch.set(address, 4);
  scratch.set(header, 4 + address.length);
  return murmur3(scratch, length, seed);
}

export function addHashes(left: Hash128, right: Hash128): Hash128 {
  return [
    (left[0] + right[0]) >>> 0,
    (left[1] + right[1]) >>> 0,
    (left[2] + right[2]) >>> 0,
    (left[3] + right[3]) >>> 0,
  ];
}

export function subtractHashes(left: Hash128, right: Hash128): Hash128 {
  return [
    (left[0] - right[0]) >>> 0,
    (left[1] - right[1]) >>> 0,
    (left[2] - right[2]) >>> 0,
    (left[3] - right[3]) >>> 0,
  ];
}

export function hashesEqual(left: Hash128, right: Hash128): boolean {
  return left[0] === right[0] && left[1] === right[1] && left[2] === right[2] && left[3] === right[3];
}

/** Four u32 little-endian: a leaf as stored, and the operand of the engine's `uint32-add` merge operator. */
export function leafBytes(hash: Hash128): Buffer {
  const bytes = Buffer.allocUnsafe(LEAF_BYTES);
  for (let lane = 0; lane < 4; lane++) bytes.writeUInt32LE(hash[lane] as number, lane * 4);
  return bytes;
}

/** Throws RangeError when there are not sixteen bytes. */
export function leafOfBytes(bytes: Uint8Array): Hash128 {
  if (bytes.length !== LEAF_BYTES) throw new RangeError(`leaf of ${bytes.length} bytes`);
  const source = asBuffer(bytes);
  return [source.readUInt32LE(0), source.readUInt32LE(4), source.readUInt32LE(8), source.readUInt32LE(12)];
}

/** What a leaf changes by when the record's hash goes from `before` to `after`; undefined = no record. */
export function leafChange(before: Hash128 | undefined, after: Hash128 | undefined): Hash128 {
  return subtractHashes(after ?? ZERO_HASH, before ?? ZERO_HASH);
}

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
