/** Chance and entropy from the system. */
import { randomFillSync } from 'node:crypto';
import type { Random, Secrets } from '../runtime.ts';

export class NodeRandom implements Random {
  uint32(): number {
    return Math.floor(Math.random() * 0x100000000);
  }
}

/** A call of the system's generator costs microseconds, however little it is asked for: small requests share one. */
const POOL_BYTES = 4096;

export class NodeSecrets implements Secrets {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  fill(bytes: Uint8Array): void {
    if (bytes.length > POOL_BYTES / 4) {
      randomFillSync(bytes);
      return;
    }
    if (this.#used + bytes.length > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const end = this.#used + bytes.length;
    bytes.set(this.#pool.subarray(this.#used, end));
    // What was given out once is a secret of whoever has it.
    this.#pool.fill(0, this.#used, end);
    this.#used = end;
  }
}
