/**
 * Contexts as clients hold them: opaque text, good for one key of one keyspace of this cluster. docs/formats.md "Context tokens".
 *
 *   base64url of   version u8 | keyspace u16 | key hash 8 | version vector | MAC 16
 *
 * The MAC is there so that a context is only ever what some node has said: one made up by a client could claim to have seen
 * writes that it has not, and a write under it would drop them everywhere. Its key is the cluster's, so that a token of one
 * node is good at all of them.
 */
import { leafBytes, memberNumberOf, murmur3, VersionVector } from '@kvd/replication';
import { isSameSecret } from './constant-time.ts';
import type { NodeServices } from './services.ts';

/** On the wire. */
const TOKEN_VERSION = 1;
const KEYSPACE = 0;
const KEY_HASH_BYTES = 8;
const KEY_HASH_SEED = 0x746f6b65;
const MAC_BYTES = 16;
const VECTOR_AT = 3 + KEY_HASH_BYTES;
/** Of the text: far longer than any vector that a record has. */
const TOKEN_BYTES_MAX = 16 * 1024;

/** `vector`: an encoded version vector (version-vector.ts). */
export function sealContext(services: NodeServices, key: Uint8Array, vector: Uint8Array): string {
  const head = Buffer.alloc(VECTOR_AT);
  head.writeUInt8(TOKEN_VERSION, 0);
  head.writeUInt16BE(KEYSPACE, 1);
  keyHash(key).copy(head, 3);
  const body = Buffer.concat([head, vector]);
  return Buffer.concat([body, macOf(services, body)]).toString('base64url');
}

/** The encoded vector in the token; or why it is not taken, in words for the client. */
export function openContext(services: NodeServices, key: Uint8Array, token: Buffer): Uint8Array | string {
  const bytes = bytesOf(token);
  if (bytes === undefined || bytes.length < VECTOR_AT + 1 + MAC_BYTES) return DAMAGED;
  if (bytes[0] !== TOKEN_VERSION) return ofAnotherVersion(bytes[0] as number);
  const body = bytes.subarray(0, bytes.length - MAC_BYTES);
  if (!isSameSecret(macOf(services, body), bytes.subarray(body.length))) return DAMAGED;
  if (body.readUInt16BE(1) !== KEYSPACE || !keyHash(key).equals(body.subarray(3, VECTOR_AT))) return OF_ANOTHER_KEY;
  const vector = body.subarray(VECTOR_AT);
  return strangerIn(services, VersionVector.decode(vector)) ?? vector;
}

const DAMAGED =
  'kvd: the context is damaged, or of another cluster; pass it on whole, as KVD.GET, KVD.PUT or KVD.DEL has given it';
const OF_ANOTHER_KEY = 'kvd: the context is of another key; take the one that KVD.GET gives for this key';

function ofAnotherVersion(version: number): string {
  return `kvd: the context is damaged, or of another version of kvd (${version}); KVD.GET the key again at this node`;
}

/** A vector that names somebody who has never been in the ring names writes that were never made. */
function strangerIn(services: NodeServices, vector: VersionVector): string | undefined {
  const { members } = services.ring();
  for (let i = 0; i < vector.size; i++) {
    const number = memberNumberOf(vector.actorAt(i));
    if (!members.some((member) => member.number === number)) {
      return `kvd: the context names a write of member ${number}, which is not in the ring; KVD.GET the key again`;
    }
  }
  return undefined;
}

/** Text has one form: what differs in a bit, or has more behind it, is another token. */
function bytesOf(token: Buffer): Buffer | undefined {
  if (token.length > TOKEN_BYTES_MAX) return undefined;
  const text = token.toString('latin1');
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function keyHash(key: Uint8Array): Buffer {
  return Buffer.from(leafBytes(murmur3(key, key.length, KEY_HASH_SEED))).subarray(0, KEY_HASH_BYTES);
}

function macOf(services: NodeServices, body: Uint8Array): Buffer {
  return services.runtime.mac(services.contextKey(), body).subarray(0, MAC_BYTES);
}
