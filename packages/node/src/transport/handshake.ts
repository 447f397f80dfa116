/**
 * Whether two nodes may talk, as a pure machine: docs/protocol.md "Handshake". The node that dialled speaks first; the other
 * checks what it hears, and answers with its own hello or a refusal; then the first checks in turn. With a peer secret the
 * answer bears a proof, and the first sends one of its own before anything else. Nothing of a peer is believed before that, and
 * nothing about this node is told to one that is refused but the reason.
 */
import { NodeError } from '../errors.ts';
import { TYPE_HELLO, TYPE_PROOF, TYPE_REFUSAL } from './frame.ts';
import {
  AUTH_NONE,
  AUTH_SECRET,
  decodeHello,
  decodeRefusal,
  encodeHello,
  type Hello,
  REFUSAL,
  type Refusal,
  splitProof,
  withProof,
} from './hello.ts';
import type { PeerSecret, Transcript } from './peer-proof.ts';

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
  /** `proof`: to be sent before anything else, by the node that dialled. */
  | { readonly status: 'accepted'; readonly peer: AcceptedPeer; readonly proof?: Buffer }
  /** The hello is fine; `hello` is to be answered, and the next frame must be the proof. */
  | { readonly status: 'challenged'; readonly peer: AcceptedPeer }
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
  /** What both must have; `undefined`: no proof is asked for or given. */
  readonly secret?: PeerSecret | undefined;
}

/** A hello that was found good, and whose sender has not proved itself yet. */
interface Unproven {
  readonly hello: Hello;
  readonly payload: Buffer;
  readonly peer: AcceptedPeer;
}

export class Handshake {
  readonly #options: HandshakeOptions;
  /** This side's hello, without its proof. */
  #sent: Buffer = NOTHING;
  #unproven: Unproven | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** The name that the other end has given, once its hello was found good. */
  get claimedName(): string | undefined {
    return this.#unproven?.peer.id;
  }

  /** The payload of this side's hello, to `to`; with a proof when it answers one. */
  hello(to: string): Buffer {
    const { secret } = this.#options;
    this.#sent = this.#plainHello(to);
    if (secret === undefined || this.#unproven === undefined) return this.#sent;
    return withProof(this.#sent, secret.prove('accept', this.#transcriptOf(this.#unproven)));
  }

  #plainHello(to: string): Buffer {
    const { self, nonce, secret } = this.#options;
    return encodeHello({
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION_MAX,
      clusterId: self.clusterId,
      generation: self.generation,
      incarnation: self.incarnation,
      offered: CAPABILITIES,
      required: 0,
      nonce,
      auth: secret === undefined ? AUTH_NONE : AUTH_SECRET,
      from: self.id,
      to,
    });
  }

  /** Judges the frames of the other end until one is accepted or refused: its hello, and its proof if it must give one. */
  receive(type: number, payload: Buffer): HandshakeResult {
    if (type === TYPE_REFUSAL) return { status: 'rejected', refusal: decodeRefusal(payload) };
    if (this.#unproven !== undefined) return this.#judgeProof(this.#unproven, type, payload);
    if (type !== TYPE_HELLO) {
      return { status: 'refused', refusal: refuse('hello', `the first frame has type ${type}`), peer: undefined };
    }
    try {
      return this.#judge(decodeHello(payload), payload);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      return { status: 'refused', refusal: refuse('hello', error.message), peer: undefined };
    }
  }

  #judge(hello: Hello, payload: Buffer): HandshakeResult {
    const { self, expected, objection, secret } = this.#options;
    const auth = secret === undefined ? AUTH_NONE : AUTH_SECRET;
    const refusal = objectionTo(hello, { self, auth, expected }) ?? objection?.(hello);
    if (refusal) return { status: 'refused', refusal, peer: hello.from };
    const peer = {
      id: hello.from,
      incarnation: hello.incarnation,
      version: Math.min(hello.versionMax, PROTOCOL_VERSION_MAX),
      capabilities: hello.offered & CAPABILITIES,
    };
    if (secret === undefined) return { status: 'accepted', peer };
    if (expected !== undefined) return this.#judgeAnswer(payload, peer, secret);
    this.#unproven = { hello, payload: Buffer.from(payload), peer };
    return { status: 'challenged', peer };
  }

  /** At the node that dialled: the answer must bear a proof, and is answered with one. */
  #judgeAnswer(payload: Buffer, peer: AcceptedPeer, secret: PeerSecret): HandshakeResult {
    const { proof, unproven } = splitProof(payload);
    const transcript = { dialled: this.#sent, answer: unproven };
    if (!secret.isProof(proof, 'accept', transcript)) return this.#disproved(peer.id);
    return { status: 'accepted', peer, proof: secret.prove('dial', transcript) };
  }

  /** At the other: a newer incarnation may have connected since the hello. */
  #judgeProof(unproven: Unproven, type: number, proof: Buffer): HandshakeResult {
    const { objection, secret } = this.#options;
    const { hello, peer } = unproven;
    if (type !== TYPE_PROOF || !secret?.isProof(proof, 'dial', this.#transcriptOf(unproven))) {
      return this.#disproved(peer.id);
    }
    const refusal = objection?.(hello);
    return refusal ? { status: 'refused', refusal, peer: peer.id } : { status: 'accepted', peer };
  }

  #transcriptOf({ payload }: Unproven): Transcript {
    return { dialled: payload, answer: this.#sent };
  }

  #disproved(peer: string): HandshakeResult {
    const text = `${peer} does not have the peer secret of ${this.#options.self.id}`;
    return { status: 'refused', refusal: refuse('auth', text), peer };
  }
}

const NOTHING = Buffer.alloc(0);

interface Expectation {
  readonly self: Identity;
  readonly auth: number;
  readonly expected: string | undefined;
}

/** The first reason not to talk to the sender of `hello`. Texts name both sides: an operator reads them on either. */
function objectionTo(hello: Hello, { self, auth, expected }: Expectation): Refusal | undefined {
  return (
    objectionToCluster(hello, self) ??
    objectionToProtocol(hello) ??
    objectionToAuth(hello, self, auth) ??
    objectionToName(hello, self, expected)
  );
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
  return undefined;
}

function objectionToAuth(hello: Hello, self: Identity, auth: number): Refusal | undefined {
  if (hello.auth === auth) return undefined;
  if (hello.auth > AUTH_SECRET) {
    return refuse('auth', `${hello.from} proves itself by method ${hello.auth}, unknown here`);
  }
  const [has, lacks] = auth === AUTH_SECRET ? [self.id, hello.from] : [hello.from, self.id];
  return refuse(
    'auth',
    `${has} has a peer secret and ${lacks} has none: --peer-secret-file must be given to all nodes`,
  );
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
