/**
 * The 128-bit leaves of the slots this node keeps, one table per replica group (a distinct N). A leaf is the lane-wise sum of
 * the hashes of the slot's records. Each write adds new − old by a merge operand in the batch of the write itself, so that a
 * replay after a crash is exact; the copy in memory moves with the memtable.
 */
import type { Engine, WriteBatch } from '@kvd/lsm';
import { FAMILY_SLOT_HASHES, type Hash128, leafBytes, localKey, localPrefixEnd } from '@kvd/replication';

const SLOTS = 16_384;
const LANES = 4;

export class LeafTable {
  readonly #group: number;
  readonly #lanes = new Uint32Array(SLOTS * LANES);
  readonly #operand: [number, number, number, number] = [0, 0, 0, 0];

  constructor(group: number) {
    this.#group = group;
  }

  /** Reads the leaves that the engine holds. O(slots that are not empty). */
  load(engine: Engine): void {
    const prefix = this.#prefix();
    const cursor = engine.cursor({ gte: prefix, lt: localPrefixEnd(prefix) });
    try {
      while (cursor.next()) this.#loadOne(cursor.key, cursor.value);
    } finally {
      cursor.close();
    }
  }

  leaf(slot: number): Hash128 {
    const at = slot * LANES;
    const lanes = this.#lanes;
    return [lanes[at] as number, lanes[at + 1] as number, lanes[at + 2] as number, lanes[at + 3] as number];
  }

  /** Moves the slot's leaf from the old record's hash (undefined: there was none) to the new one's, here and in the batch. */
  replace(slot: number, before: Hash128 | undefined, after: Hash128, batch: WriteBatch): void {
    const at = slot * LANES;
    for (let lane = 0; lane < LANES; lane++) {
      const difference = ((after[lane] as number) - (before === undefined ? 0 : (before[lane] as number))) >>> 0;
      this.#operand[lane] = difference;
      this.#lanes[at + lane] = (this.#lanes[at + lane] as number) + difference;
    }
    batch.merge(this.#key(slot), leafBytes(this.#operand));
  }

  #loadOne(key: Buffer, value: Buffer): void {
    const at = key.readUInt16BE(key.length - 2) * LANES;
    for (let lane = 0; lane < LANES; lane++) this.#lanes[at + lane] = value.readUInt32LE(lane * 4);
  }

  #prefix(): Buffer {
    return localKey(FAMILY_SLOT_HASHES, Buffer.from([this.#group]));
  }

  #key(slot: number): Buffer {
    return localKey(FAMILY_SLOT_HASHES, Buffer.from([this.#group, slot >>> 8, slot & 0xff]));
  }
}
