/**
 * The ring: who keeps which slot. A value: it is replaced, never changed, and all who hold the same epoch hold the same
 * bytes.
 *
 * Invariants: runs cover slots 0 to 16383 without gap or overlap; neighbours differ; a row names distinct members, as
 * many as there are replicas (or members, if they are fewer).
 */
import { createRing } from './create-ring.ts';
import { RingError } from './errors.ts';
import { fingerprint } from './hash.ts';
import { checkMembers, type Member } from './member.ts';
import { checkReplicas, type InitialRingOptions } from './options.ts';
import { computePreferenceList, type PreferenceList } from './preference-list.ts';
import { decodeRing, encodeRing } from './ring-codec.ts';
import { SLOT_COUNT } from './slot.ts';

/** Contiguous slots with one row of owners. */
export interface RingRun {
  readonly from: number;
  /** Included. */
  readonly to: number;
  /** Member ids, the primary first. */
  readonly row: readonly string[];
}

/** What a ring is made of. */
export interface RingParts {
  /** Counts rings of one cluster, from 1. */
  readonly epoch: number;
  readonly replicas: number;
  readonly members: readonly Member[];
  readonly runs: readonly RingRun[];
}

export class Ring {
  readonly epoch: number;
  /** Owners that each slot should have; rows are shorter only where members are fewer. */
  readonly replicas: number;
  /** In order of id. */
  readonly members: readonly Member[];
  readonly #runs: readonly RingRun[];
  readonly #runOfSlot = new Uint16Array(SLOT_COUNT);
  readonly #byId: ReadonlyMap<string, Member>;
  readonly #byNumber: ReadonlyMap<number, Member>;
  /** By n, then by run; filled as they are asked for. */
  readonly #preferenceLists: (PreferenceList | undefined)[][] = [];
  #encoded: Buffer | undefined;
  #hash: string | undefined;

  /**
   * The ring of epoch 1. The same for the same set of members in any order, on any machine. Throws `RING_MEMBERS` for a
   * set that is none, `RING_OPTIONS` for options out of range.
   */
  static initial(members: readonly Member[], options: InitialRingOptions = {}): Ring {
    return new Ring(createRing(members, options));
  }

  /** Throws `RING_CORRUPTION` or `RING_INCOMPATIBLE_FORMAT`. */
  static decode(bytes: Uint8Array): Ring {
    const parts = decodeRing(bytes);
    try {
      const ring = new Ring(parts);
      if (ring.encode().equals(bytes)) return ring;
    } catch (error) {
      if (error instanceof RingError) throw new RingError('RING_CORRUPTION', `not a ring: ${error.message}`);
      throw error;
    }
    throw new RingError('RING_CORRUPTION', 'not a ring: its encoding is not canonical');
  }

  /** Throws `RING_MEMBERS` or `RING_OPTIONS` if the parts break an invariant. */
  constructor(parts: RingParts) {
    this.epoch = parts.epoch;
    this.replicas = parts.replicas;
    this.members = checkMembers(parts.members);
    this.#byId = new Map(this.members.map((member) => [member.id, member]));
    this.#byNumber = new Map(this.members.map((member) => [member.number, member]));
    this.#runs = Object.freeze(mergeRuns(parts.runs));
    this.#check();
    this.#runs.forEach(({ from, to }, index) => void this.#runOfSlot.fill(index, from, to + 1));
  }

  /** Ids of the owners of a slot, the primary first. Neither copied nor made anew. */
  row(slot: number): readonly string[] {
    return this.#run(slot).row;
  }

  isOwner(slot: number, id: string): boolean {
    return this.row(slot).includes(id);
  }

  member(id: string): Member | undefined {
    return this.#byId.get(id);
  }

  memberByNumber(number: number): Member | undefined {
    return this.#byNumber.get(number);
  }

  /** The whole ring as runs, in order of slots: as CLUSTER SLOTS tells it. */
  runs(): readonly RingRun[] {
    return this.#runs;
  }

  /** See `preferenceList`. */
  preferenceList(slot: number, n: number): PreferenceList {
    const owners = Math.min(n, this.row(slot).length);
    if (!(owners >= 1)) throw new RangeError(`a preference list has at least one owner, not ${n}`);
    const lists = (this.#preferenceLists[owners] ??= new Array(this.#runs.length));
    const run = this.#runOfSlot[slot] as number;
    return (lists[run] ??= computePreferenceList(this, run, owners));
  }

  /** Canonical: equal rings are equal bytes. Not to be changed by the caller. */
  encode(): Buffer {
    return (this.#encoded ??= encodeRing(this, this.#runs));
  }

  /** 16 hexadecimal digits of the encoded ring, to tell two rings of one epoch apart. */
  get hash(): string {
    return (this.#hash ??= fingerprint(this.encode()));
  }

  #run(slot: number): RingRun {
    const run = slot >= 0 && slot < SLOT_COUNT ? this.#runs[this.#runOfSlot[slot] as number] : undefined;
    if (run === undefined) throw new RangeError(`${slot} is not a slot`);
    return run;
  }

  #check(): void {
    const isEpoch = Number.isSafeInteger(this.epoch) && this.epoch >= 1;
    if (!isEpoch) throw new RingError('RING_OPTIONS', `epoch ${this.epoch} is not a positive integer`);
    checkReplicas(this.replicas);
    const rowLength = Math.min(this.replicas, this.members.length);
    let next = 0;
    for (const { from, to, row } of this.#runs) {
      if (from !== next || to < from) throw new RingError('RING_OPTIONS', `a run begins at slot ${from}, not ${next}`);
      next = to + 1;
      const isRow =
        row.length === rowLength && new Set(row).size === rowLength && row.every((id) => this.#byId.has(id));
      if (!isRow) throw new RingError('RING_OPTIONS', `slots ${from} to ${to} have the row ${row.join(', ')}`);
    }
    if (next !== SLOT_COUNT) throw new RingError('RING_OPTIONS', `the runs end at slot ${next - 1}`);
  }
}

function mergeRuns(runs: readonly RingRun[]): RingRun[] {
  const merged: RingRun[] = [];
  for (const { from, to, row } of runs) {
    const last = merged.at(-1);
    const isSame = last !== undefined && last.row.length === row.length && last.row.every((id, i) => id === row[i]);
    if (isSame) merged[merged.length - 1] = Object.freeze({ from: last.from, to, row: last.row });
    else merged.push(Object.freeze({ from, to, row: Object.freeze([...row]) }));
  }
  return merged;
}
