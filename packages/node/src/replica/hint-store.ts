/**
 * Hints in the engine: writes kept for absent owners, one per (record, target).
 *
 *   key    storage key of the record in the family `hints`, then the target
 *   value  hint id u64 | record bytes; no record bytes = by reference: this node is an owner itself and holds the record
 *
 * A marker per (target, slot) in the node-local area says where hints may be, so that a start need not look through every
 * slot. It is written with every hint and removed when a scan finds none.
 */
import { type Engine, WriteBatch } from '@kvd/lsm';
import {
  FAMILY,
  familyPrefix,
  type Hint,
  hintKey,
  hintPrefix,
  localKey,
  parseHintKey,
  prefixEnd,
  slotOfAddress,
} from '@kvd/replication';

const ID_BYTES = 8;
const EMPTY = Buffer.alloc(0);
const MARKERS = localKey(FAMILY.nodeState, Buffer.from('hinted/'));

export class HintStore {
  readonly #engine: Engine;
  /** Slots with hints, by target. */
  readonly #slots = new Map<string, Set<number>>();
  #nextId: number;

  /** `firstId`: larger than any id of an earlier incarnation. */
  constructor(engine: Engine, firstId: number) {
    this.#engine = engine;
    this.#nextId = firstId;
  }

  load(): void {
    this.#scan(MARKERS, (key) => {
      const end = key.length - 2;
      this.#note(key.toString('latin1', MARKERS.length, end), key.readUInt16BE(end));
      return true;
    });
  }

  targets(): string[] {
    return [...this.#slots.keys()].sort();
  }

  /** Slots in which hints for the target may be. */
  slotsOf(target: string): number {
    return this.#slots.get(target)?.size ?? 0;
  }

  /** Puts a hint into the batch. `record` empty: by reference. */
  put(batch: WriteBatch, target: string, address: Uint8Array, record: Uint8Array): void {
    const value = Buffer.allocUnsafe(ID_BYTES + record.length);
    value.writeBigUInt64BE(BigInt(this.#nextId++), 0);
    value.set(record, ID_BYTES);
    batch.put(hintKey(address, target), value);
    const slot = slotOfAddress(address);
    batch.put(marker(target, slot), EMPTY);
    this.#note(target, slot);
  }

  /** The state kept for that target, `undefined` if none or by reference. */
  record(address: Uint8Array, target: string): Buffer | undefined {
    const value = this.#engine.getSync(hintKey(address, target));
    return value === undefined || value.length === ID_BYTES ? undefined : value.subarray(ID_BYTES);
  }

  /** States kept here of one record, for whichever target. */
  records(address: Uint8Array): Buffer[] {
    const found: Buffer[] = [];
    this.#scan(hintPrefix(address), (_key, value) => {
      if (value.length > ID_BYTES) found.push(value.subarray(ID_BYTES));
      return true;
    });
    return found;
  }

  /**
   * At most `count` hints of about `bytes` in all for the target. `held` gives the record of a hint by reference: it counts as
   * what is sent does.
   */
  take(
    target: string,
    limit: { readonly count: number; readonly bytes: number },
    held: (address: Uint8Array) => Uint8Array,
  ): Hint[] {
    const taken: Hint[] = [];
    let bytes = 0;
    for (const slot of [...(this.#slots.get(target) ?? [])].sort((a, b) => a - b)) {
      let any = false;
      this.#scanSlot(slot, target, (hint) => {
        any = true;
        if (hint.record.length === 0) hint = { ...hint, record: held(hint.address) };
        taken.push(hint);
        bytes += hint.record.length + hint.address.length;
        return taken.length < limit.count && bytes < limit.bytes;
      });
      if (!any) this.#forget(target, slot);
      if (taken.length >= limit.count || bytes >= limit.bytes) break;
    }
    return taken;
  }

  /** Puts the removal of those hints that are still what was delivered into the batch; answers the slots concerned. */
  remove(batch: WriteBatch, hints: readonly Hint[]): Set<number> {
    const slots = new Set<number>();
    for (const hint of hints) {
      const at = hintKey(hint.address, hint.target);
      const value = this.#engine.getSync(at);
      if (value === undefined || Number(value.readBigUInt64BE(0)) !== hint.id) continue;
      batch.delete(at);
      slots.add(slotOfAddress(hint.address));
    }
    return slots;
  }

  #scanSlot(slot: number, target: string, each: (hint: Hint) => boolean): void {
    this.#scan(familyPrefix({ slot, keyspace: 0, generation: 0 }, FAMILY.hints), (key, value) => {
      const parsed = parseHintKey(key);
      if (parsed.target !== target) return true;
      return each({
        id: Number(value.readBigUInt64BE(0)),
        target,
        address: parsed.address,
        record: value.subarray(ID_BYTES),
      });
    });
  }

  #scan(prefix: Buffer, each: (key: Buffer, value: Buffer) => boolean): void {
    const cursor = this.#engine.cursor({ gte: prefix, lt: prefixEnd(prefix) });
    try {
      while (cursor.next()) if (!each(cursor.key, cursor.value)) break;
    } finally {
      cursor.close();
    }
  }

  #note(target: string, slot: number): void {
    const slots = this.#slots.get(target);
    if (slots === undefined) this.#slots.set(target, new Set([slot]));
    else slots.add(slot);
  }

  /** No hint was found under a marker. */
  #forget(target: string, slot: number): void {
    const slots = this.#slots.get(target);
    slots?.delete(slot);
    if (slots?.size === 0) this.#slots.delete(target);
    this.#engine.commit(new WriteBatch().delete(marker(target, slot)), 'os', () => {});
  }
}

function marker(target: string, slot: number): Buffer {
  return Buffer.concat([MARKERS, Buffer.from(target, 'latin1'), Buffer.from([slot >>> 8, slot & 0xff])]);
}
