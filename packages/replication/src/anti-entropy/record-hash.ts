/**
 * The hash by which replicas compare what they hold, and the sums of it that make a leaf.
 *
 * MurmurHash3 x86 128 (Austin Appleby, public domain), seeded by the cluster, of the record's address and header, which
 * has the checksums of the values but not their bytes. A leaf is, per u32 lane, the sum modulo 2^32 of the hashes of a
 * slot's records: a sum can be kept by adding new - old, in any order, and unlike XOR two equal changes do not cancel.
 */
import { asBuffer } from '../encoding.ts';
import type { Hash128 } from '../messages.ts';
import { murmur3 } from '../murmur3.ts';
import { recordHeaderBytes } from '../record-codec.ts';

export { murmur3 } from '../murmur3.ts';

export const LEAF_BYTES = 16;
export const ZERO_HASH: Hash128 = [0, 0, 0, 0];

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
