/**
 * How two nodes show each other that they have the same secret, without telling it: docs/protocol.md "Proof". A proof is a MAC
 * over both hellos, so over both nonces, names and incarnations: it is of no use on another connection, nor to the other end,
 * since each direction has a label of its own.
 */
import { isSameSecret } from '../constant-time.ts';
import type { Mac } from '../runtime.ts';

const LABEL = { accept: Buffer.from('kvd peer accept 1\n'), dial: Buffer.from('kvd peer dial 1\n') } as const;
export const PROOF_BYTES = 32;

/** Who proves: the node that dialled, or the one that accepted. */
export type Prover = keyof typeof LABEL;

export interface Transcript {
  /** Payload of the hello of the node that dialled. */
  readonly dialled: Uint8Array;
  /** Payload of the answer, its proof taken out. */
  readonly answer: Uint8Array;
}

export class PeerSecret {
  readonly #secret: Uint8Array;
  readonly #mac: Mac;

  constructor(secret: Uint8Array, mac: Mac) {
    this.#secret = secret;
    this.#mac = mac;
  }

  prove(prover: Prover, { dialled, answer }: Transcript): Buffer {
    return this.#mac(this.#secret, Buffer.concat([LABEL[prover], dialled, answer]));
  }

  isProof(proof: Uint8Array, prover: Prover, transcript: Transcript): boolean {
    return isSameSecret(proof, this.prove(prover, transcript));
  }
}
