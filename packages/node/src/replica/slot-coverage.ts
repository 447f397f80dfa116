/**
 * Which slots this node has compared with which other owners since it started. A slot is covered once every other owner of
 * its row has agreed: from then on nothing that this node issued or acknowledged before the start can be missing here.
 */
import type { Ring } from '@kvd/ring';

const SLOTS = 16_384;

export class SlotCoverage {
  readonly #ring: Ring;
  readonly #self: string;
  /** Per slot a bit for each position of the row that has agreed. */
  readonly #agreed = new Uint8Array(SLOTS);

  constructor(ring: Ring, self: string) {
    this.#ring = ring;
    this.#self = self;
  }

  agreed(peer: string, fromSlot: number, toSlot: number): void {
    for (let slot = fromSlot; slot <= toSlot; slot++) {
      const position = this.#ring.row(slot).indexOf(peer);
      if (position >= 0) this.#agreed[slot] = (this.#agreed[slot] as number) | (1 << position);
    }
  }

  covered(slot: number): boolean {
    const row = this.#ring.row(slot);
    const agreed = this.#agreed[slot] as number;
    for (let position = 0; position < row.length; position++) {
      if (row[position] !== this.#self && (agreed & (1 << position)) === 0) return false;
    }
    return true;
  }
}
