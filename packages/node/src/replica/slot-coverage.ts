/**
 * Which slots this node has compared with which other owners since it started. A slot is covered once every other owner of
 * its row has agreed: from then on nothing that this node issued or acknowledged before the start can be missing here.
 */
import type { Ring } from '@kvd/ring';

const SLOTS = 16_384;

export class SlotCoverage {
  readonly #ring: Ring;
  readonly #self: string;
  readonly #onComplete: () => void;
  /** Per slot a bit for each position of the row that has agreed; rows have at most 16. */
  readonly #agreed = new Uint16Array(SLOTS);
  /** Own slots that are not covered yet. */
  #left = 0;

  /** `onComplete` is called once, when the last of this node's own slots is covered. */
  constructor(ring: Ring, self: string, onComplete: () => void = () => {}) {
    this.#ring = ring;
    this.#self = self;
    this.#onComplete = onComplete;
    for (let slot = 0; slot < SLOTS; slot++) if (ring.isOwner(slot, self) && !this.covered(slot)) this.#left++;
  }

  agreed(peer: string, fromSlot: number, toSlot: number): void {
    const before = this.#left;
    for (let slot = fromSlot; slot <= toSlot; slot++) {
      const row = this.#ring.row(slot);
      const position = row.indexOf(peer);
      if (position < 0 || this.covered(slot)) continue;
      this.#agreed[slot] = (this.#agreed[slot] as number) | (1 << position);
      if (row.includes(this.#self) && this.covered(slot)) this.#left--;
    }
    if (before > 0 && this.#left === 0) this.#onComplete();
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
