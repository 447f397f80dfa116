/**
 * What this node holds of a record, as an owner in its own family, as anybody else in hints.
 *
 * Invariant: what cannot be read is never taken for absent, and ends the tenure of its slot: this node may no longer hold all
 * that it issued in it.
 */
import { type Engine, WriteBatch } from '@kvd/lsm';
import {
  type DottedRecord,
  decodeTrustedRecord,
  encodeRecord,
  FAMILY,
  mergeRecords,
  slotOfAddress,
  storageKey,
} from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { DotIssuer } from './dot-issuer.ts';
import type { HintStore } from './hint-store.ts';
import type { SlotCoverage } from './slot-coverage.ts';

export interface HeldRecordsDependencies {
  readonly engine: Engine;
  readonly self: string;
  readonly ring: Ring;
  readonly dots: DotIssuer;
  readonly hints: HintStore;
  readonly coverage: SlotCoverage;
  /** This node may lack what it has acknowledged, until it has compared with the other owners. */
  readonly doubt: boolean;
}

export class HeldRecords {
  readonly #deps: HeldRecordsDependencies;

  constructor(dependencies: HeldRecordsDependencies) {
    this.#deps = dependencies;
  }

  /** The record held here as an owner. Throws what the engine throws. */
  read(address: Uint8Array): Buffer | undefined {
    return this.#deps.engine.getSync(storageKey(address, FAMILY.records));
  }

  isOwner(slot: number): boolean {
    return this.#deps.ring.isOwner(slot, this.#deps.self);
  }

  ownsAll(fromSlot: number, toSlot: number): boolean {
    const { ring, self } = this.#deps;
    return ring.runs().every(({ from, to, row }) => to < fromSlot || from > toSlot || row.includes(self));
  }

  /** It may lack records of these slots that it has acknowledged. */
  inDoubt(fromSlot: number, toSlot = fromSlot): boolean {
    if (!this.#deps.doubt) return false;
    for (let slot = fromSlot; slot <= toSlot; slot++) if (!this.#deps.coverage.covered(slot)) return true;
    return false;
  }

  /** What this node holds of the record, as an owner or in hints. What cannot be read ends the tenure. */
  held(address: Uint8Array, owner: boolean): Buffer | undefined {
    try {
      return owner ? this.read(address) : this.#fromHints(address);
    } catch (error) {
      this.#retire(slotOfAddress(address));
      throw error;
    }
  }

  /** The engine's checksums have vouched for these bytes. */
  decode(address: Uint8Array, held: Uint8Array): DottedRecord {
    try {
      return decodeTrustedRecord(held);
    } catch (error) {
      this.#retire(slotOfAddress(address));
      throw error;
    }
  }

  #fromHints(address: Uint8Array): Buffer | undefined {
    let all: DottedRecord | undefined;
    for (const bytes of this.#deps.hints.records(address)) all = merged(all, decodeTrustedRecord(bytes));
    return all === undefined ? undefined : encodeRecord(all);
  }

  /** The slot's tenure ends: this node may not hold all that it issued in it. */
  #retire(slot: number): void {
    const batch = new WriteBatch();
    this.#deps.dots.retire(slot, 'failed-read', batch);
    this.#deps.engine.commit(batch, 'memory', (error) => {
      if (error !== undefined) this.#deps.dots.unsaved(slot);
    });
  }
}

/** The merge of the two; the other where there is but one. */
export function merged(base: DottedRecord | undefined, other: DottedRecord): DottedRecord {
  return base === undefined ? other : mergeRecords(base, other);
}
