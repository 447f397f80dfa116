/**
 * Whether two nodes may talk, as a pure machine: docs/protocol.md "Handshake". The node that dialled speaks first; the other
 * checks what it hears, and answers with its own hello or a refusal; then the first checks in turn. Nothing of a peer is
 * believed before, and nothing about this node is told to one that is refused but the reason.
 */
import { NodeError } from '../errors.ts';
import { TYPE_HELLO, TYPE_REFUSAL } from './frame.ts';
import { AUTH_NONE, decodeHello, decodeRefusal, encodeHello, type Hello, REFUSAL, type Refusal } from './hello.ts';

/** Versions of the peer protocol that this code speaks. */
export const PROTOCOL_VERSION_MIN = 1;
export const PROTOCOL_VERSION_MAX = 1;

/** Bits of what this code can do; none has been given out yet. */
export const CAPABILITIES = 0;

/** What this node says of itself. */
export interface Identity {
  readonly id: string;
  readonly incarnation: number;
  readonly clusterId: Uint8Array;
  readonly generation: number;
}

/** The peer as both have agreed to see it. */
export interface AcceptedPeer {
  readonly id: string;
  readonly incarnation: number;
  /** The highest version that both speak. */
  readonly version: number;
  /** What both can do. */
  readonly capabilities: number;
}

export type HandshakeResult =
  | { readonly status: 'accepted'; readonly peer: AcceptedPeer }
  /** `refusal` is to be sent; `peer` is the name it gave, if it could be read. */
  | { readonly status: 'refused'; readonly refusal: Refusal; readonly peer: string | undefined }
  /** The other end has refused this node. */
  | { readonly status: 'rejected'; readonly refusal: Refusal };

export interface HandshakeOptions {
  readonly self: Identity;
  /** New random bytes for each connection. */
  readonly nonce: Uint8Array;
  /** Whom this node has dialled; `undefined` when it was dialled. */
  readonly expected?: string | undefined;
  /** Tells what speaks against this peer besides what is in the hellos, if anything: an older incarnation, say. */
  readonly objection?: (hello: Hello) => Refusal | undefined;
}

export class Handshake {
  readonly #options: HandshakeOptions;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** The payload of this side's hello, to `to`. */
  hello(to: string): Buffer {
    const { self, nonce } = this.#options;
    return encodeHello({
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION_MAX,
      clusterId: self.clusterId,
      generation: self.generation,
      incarnation: self.incarnation,
      offered: CAPABILITIES,
      required: 0,
      nonce,
      auth: AUTH_NONE,
      from: self.id,
      to,
    });
  }

  /** Judges the first frame of the other end. */
  receive(type: number, payload: Buffer): HandshakeResult {
    if (type === TYPE_REFUSAL) return { status: 'rejected', refusal: decodeRefusal(payload) };
    if (type !== TYPE_HELLO) {
      return { status: 'refused', refusal: refuse('hello', `the first frame has type ${type}`), peer: undefined };
    }
    try {
      return this.#judge(decodeHello(payload));
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      return { status: 'refused', refusal: refuse('hello', error.message), peer: undefined };
    }
  }

  #judge(hello: Hello): HandshakeResult {
    const { self, expected, objection } = this.#options;
    const refusal = objectionTo(hello, self, expected) ?? objection?.(hello);
    if (refusal) return { status: 'refused', refusal, peer: hello.from };
    const peer = {
      id: hello.from,
      incarnation: hello.incarnation,
      version: Math.min(hello.versionMax, PROTOCOL_VERSION_MAX),
      capabilities: hello.offered & CAPABILITIES,
    };
    return { status: 'accepted', peer };
  }
}

/** The first reason not to talk to the sender of `hello`. Texts name both sides: an operator reads them on either. */
function objectionTo(hello: Hello, self: Identity, expected: string | undefined): Refusal | undefined {
  return objectionToCluster(hello, self) ?? objectionToProtocol(hello) ?? objectionToName(hello, self, expected);
}

function objectionToCluster(hello: Hello, self: Identity): Refusal | undefined {
  if (!Buffer.from(self.clusterId).equals(hello.clusterId)) {
    // Its own id is told back, not ours: who does not know it has no business with it.
    return refuse('cluster', `${hello.from} is of cluster ${hex(hello.clusterId)}, ${self.id} is of another one`);
  }
  if (hello.generation !== self.generation) {
    const both = `${hello.from} is of generation ${hello.generation} of the cluster, ${self.id} of ${self.generation}`;
    return refuse('generation', both);
  }
  return undefined;
}

function objectionToProtocol(hello: Hello): Refusal | undefined {
  const { versionMin, versionMax } = hello;
  if (versionMin > PROTOCOL_VERSION_MAX || versionMax < PROTOCOL_VERSION_MIN) {
    const here = `${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}`;
    return refuse('version', `${hello.from} speaks versions ${versionMin} to ${versionMax}, this node ${here}`);
  }
  const lacking = hello.required & ~CAPABILITIES;
  if (lacking !== 0)
    return refuse('capability', `${hello.from} asks for capabilities that are unknown here: ${lacking >>> 0}`);
  if (hello.auth !== AUTH_NONE)
    return refuse('auth', `${hello.from} proves itself by method ${hello.auth}, unknown here`);
  return undefined;
}

function objectionToName(hello: Hello, self: Identity, expected: string | undefined): Refusal | undefined {
  if (hello.from === self.id) {
    const same = hello.incarnation === self.incarnation;
    return refuse(
      'self',
      same ? `${self.id} has dialled itself` : `another running node says that it is ${self.id}, too`,
    );
  }
  if (hello.to !== self.id)
    return refuse('wrongNode', `${hello.from} looks for ${hello.to || 'nobody'}, this is ${self.id}`);
  if (expected !== undefined && hello.from !== expected) {
    return refuse('wrongNode', `${self.id} looks for ${expected}, this is ${hello.from}`);
  }
  return undefined;
}

export function refuse(code: keyof typeof REFUSAL, reason: string): Refusal {
  return { code: REFUSAL[code], reason };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
