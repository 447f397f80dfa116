/** Real chance, from the operating system. */
import { randomBytes } from 'node:crypto';
import type { Random } from './timers.ts';

const POOL_BYTES = 4096;

/** Drawn in blocks: one system call serves a thousand draws. */
export class NodeRandom implements Random {
  #pool = Buffer.alloc(0);
  #at = 0;

  uint32(): number {
    if (this.#at >= this.#pool.length) {
      this.#pool = randomBytes(POOL_BYTES);
      this.#at = 0;
    }
    const drawn = this.#pool.readUInt32LE(this.#at);
    this.#at += 4;
    return drawn;
  }
}
