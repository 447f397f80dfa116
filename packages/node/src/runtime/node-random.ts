/** Chance and entropy from the system. */
import { randomFillSync } from 'node:crypto';
import type { Random, Secrets } from '../runtime.ts';

export class NodeRandom implements Random {
  uint32(): number {
    return Math.floor(Math.random() * 0x100000000);
  }
}

export class NodeSecrets implements Secrets {
  fill(bytes: Uint8Array): void {
    randomFillSync(bytes);
  }
}
