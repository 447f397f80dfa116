/**
 * The bytes of a hello and of a refusal: docs/protocol.md "Handshake" is normative. All integers are big-endian.
 *
 * These bytes can never change: they are how two versions find out that they differ. What comes later goes into the
 * extensions, of which unknown ones are skipped.
 */
import { NodeError } from '../errors.ts';

/** 'kvdp'. */
const HELLO_MAGIC = 0x6b766470;
const FIXED_BYTES = 61;
/** The bound of a hello or refusal, and of whatever somebody sends before the handshake is done. */
export const HELLO_BYTES_MAX = 4096;
const NAME_BYTES_MAX = 32;
const REASON_BYTES_MAX = 1024;
/** A length of 0. */
const NO_PROOF = Buffer.alloc(2);
export const CLUSTER_ID_BYTES = 16;
export const NONCE_BYTES = 16;

/** How a peer proves what it says: 0 not at all, 1 by a shared secret (peer-proof.ts). */
export const AUTH_NONE = 0;
export const AUTH_SECRET = 1;

export interface Hello {
  readonly versionMin: number;
  readonly versionMax: number;
  readonly clusterId: Uint8Array;
  readonly generation: number;
  readonly incarnation: number;
  /** Bits of what the sender can do. */
  readonly offered: number;
  /** Bits of what the other must be able to do. */
  readonly required: number;
  /** Random, new for each connection: what a proof is made over. */
  readonly nonce: Uint8Array;
  readonly auth: number;
  readonly from: string;
  /** Whom the sender means to talk to. */
  readonly to: string;
}

/** Why a peer was refused. Numbers are on the wire: docs/protocol.md "Handshake". */
export const REFUSAL = {
  hello: 1,
  version: 2,
  cluster: 3,
  generation: 4,
  wrongNode: 5,
  self: 6,
  stale: 7,
  capability: 8,
  auth: 9,
  busy: 10,
} as const;

export interface Refusal {
  readonly code: number;
  readonly reason: string;
}

export function encodeHello(hello: Hello): Buffer {
  const from = Buffer.from(hello.from, 'latin1');
  const to = Buffer.from(hello.to, 'latin1');
  const bytes = Buffer.alloc(FIXED_BYTES + 2 + from.length + to.length + 4);
  bytes.writeUInt32BE(HELLO_MAGIC, 0);
  bytes.writeUInt16BE(hello.versionMin, 4);
  bytes.writeUInt16BE(hello.versionMax, 6);
  bytes.set(hello.clusterId, 8);
  bytes.writeUInt32BE(hello.generation, 24);
  bytes.writeBigUInt64BE(BigInt(hello.incarnation), 28);
  bytes.writeUInt32BE(hello.offered, 36);
  bytes.writeUInt32BE(hello.required, 40);
  bytes.set(hello.nonce, 44);
  bytes[60] = hello.auth;
  let at = writeName(bytes, FIXED_BYTES, from);
  at = writeName(bytes, at, to);
  // No proof and no extensions: two lengths of 0, which `alloc` has written.
  return bytes;
}

function writeName(target: Buffer, at: number, name: Buffer): number {
  target[at] = name.length;
  target.set(name, at + 1);
  return at + 1 + name.length;
}

/** Throws NODE_BAD_HELLO. Keeps no reference to `bytes`. */
export function decodeHello(bytes: Buffer): Hello {
  if (bytes.length < FIXED_BYTES || bytes.readUInt32BE(0) !== HELLO_MAGIC) bad('it is not one');
  const incarnation = Number(bytes.readBigUInt64BE(28));
  if (!Number.isSafeInteger(incarnation)) bad(`incarnation ${incarnation} is out of range`);
  const from = readName(bytes, FIXED_BYTES);
  const to = readName(bytes, from.end);
  if (from.name === '') bad('the sender has no name');
  const auth = readBlock(bytes, to.end);
  const extensions = readBlock(bytes, auth);
  if (extensions !== bytes.length) bad(`${bytes.length - extensions} bytes too many`);
  return {
    versionMin: bytes.readUInt16BE(4),
    versionMax: bytes.readUInt16BE(6),
    clusterId: Buffer.from(bytes.subarray(8, 24)),
    generation: bytes.readUInt32BE(24),
    incarnation,
    offered: bytes.readUInt32BE(36),
    required: bytes.readUInt32BE(40),
    nonce: Buffer.from(bytes.subarray(44, 60)),
    auth: bytes[60] as number,
    from: from.name,
    to: to.name,
  };
}

/** A hello that was encoded or decoded before: its proof, and its bytes as they would be with none. */
export function splitProof(bytes: Buffer): { readonly proof: Buffer; readonly unproven: Buffer } {
  const at = proofAt(bytes);
  const end = readBlock(bytes, at);
  const unproven = Buffer.concat([bytes.subarray(0, at), NO_PROOF, bytes.subarray(end)]);
  return { proof: Buffer.from(bytes.subarray(at + NO_PROOF.length, end)), unproven };
}

/** The same hello with a proof, which it must not have yet. */
export function withProof(hello: Buffer, proof: Uint8Array): Buffer {
  const at = proofAt(hello);
  const length = Buffer.alloc(NO_PROOF.length);
  length.writeUInt16BE(proof.length);
  return Buffer.concat([hello.subarray(0, at), length, proof, hello.subarray(at + NO_PROOF.length)]);
}

/** Where the length of the proof stands. */
function proofAt(bytes: Buffer): number {
  return readName(bytes, readName(bytes, FIXED_BYTES).end).end;
}

function readName(bytes: Buffer, at: number): { name: string; end: number } {
  const length = bytes[at];
  if (length === undefined || length > NAME_BYTES_MAX || at + 1 + length > bytes.length)
    bad('a name is cut off or too long');
  const end = at + 1 + length;
  const name = bytes.toString('latin1', at + 1, end);
  if (!/^[A-Za-z0-9._-]*$/.test(name)) bad('a name has characters that names do not have');
  return { name, end };
}

/** Skips a block with its length before it; returns the offset behind it. */
function readBlock(bytes: Buffer, at: number): number {
  if (at + 2 > bytes.length) bad('it is cut off');
  const end = at + 2 + bytes.readUInt16BE(at);
  if (end > bytes.length) bad('it is cut off');
  return end;
}

export function encodeRefusal(refusal: Refusal): Buffer {
  const reason = Buffer.from(refusal.reason, 'utf8').subarray(0, REASON_BYTES_MAX);
  const bytes = Buffer.allocUnsafe(1 + reason.length);
  bytes[0] = refusal.code;
  bytes.set(reason, 1);
  return bytes;
}

/** Never throws: what cannot be read is a refusal all the same. Control characters are taken out, for the log's sake. */
export function decodeRefusal(bytes: Buffer): Refusal {
  const text = bytes.toString('utf8', 1, 1 + REASON_BYTES_MAX);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass.
  return { code: bytes[0] ?? 0, reason: text.replace(/[\u0000-\u001f\u007f]/g, ' ') };
}

function bad(what: string): never {
  throw new NodeError('NODE_BAD_HELLO', `a hello cannot be read: ${what}`);
}
