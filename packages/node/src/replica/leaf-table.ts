/**
 * The 128-bit leaves of the slots this node keeps, for one replica group (a distinct N). A leaf is the lane-wise sum of the
 * hashes of the slot's records. Each write adds new − old by a merge operand in the batch of the write itself, so that a replay
 * after a crash is exact. This is a cache of what the engine holds, read on first use; it moves with the memtable.
 */
import type { Engine, WriteBatch } from '@kvd/lsm';
import { type Hash128, leafBytes, leafChange, leafOfBytes, SLOT_MAX, slotHashKey, ZERO_HASH } from '@kvd/replication';

const LANES = 4;

export class LeafTable {
  readonly #engine: Engine;
  readonly #group: number;
  readonly #lanes = new Uint32Array((SLOT_MAX + 1) * LANES);
  readonly #loaded = new Uint8Array(SLOT_MAX + 1);

  constructor(engine: Engine, group: number) {
    this.#engine = engine;
    this.#group = group;
  }

  leaf(slot: number): Hash128 {
    this.#load(slot);
    const at = slot * LANES;
    const lanes = this.#lanes;
    return [lanes[at] as number, lanes[at + 1] as number, lanes[at + 2] as number, lanes[at + 3] as number];
  }

  /** Moves the slot's leaf from the old record's hash (undefined: there was none) to the new one's, here and in the batch. */
  replace(slot: number, before: Hash128 | undefined, after: Hash128, batch: WriteBatch): void {
    this.#load(slot);
    const change = leafChange(before, after);
    for (let lane = 0; lane < LANES; lane++) {
      const at = slot * LANES + lane;
      this.#lanes[at] = (this.#lanes[at] as number) + (change[lane] as number);
    }
    batch.merge(this.#key(slot), leafBytes(change));
  }

  /** The batch that changed the leaf was refused: what the engine holds counts. */
  forget(slot: number): void {
    this.#loaded[slot] = 0;
  }

  #load(slot: number): void {
    if (this.#loaded[slot] === 1) return;
    const stored = this.#engine.getSync(this.#key(slot));
    this.#lanes.set(stored === undefined ? ZERO_HASH : leafOfBytes(stored), slot * LANES);
    this.#loaded[slot] = 1;
  }

  #key(slot: number): Buffer {
    return slotHashKey({ slot, keyspace: 0, generation: 0 }, this.#group);
  }
}
