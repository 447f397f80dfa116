import { KIND_DELETE, KIND_MERGE, KIND_PUT } from './internal-key.ts';

/**
 * The state of one point read while it goes from the memtable down through the tables. Each source calls `add` with the
 * entries of the user key that are visible at `sequence`, newest first, and stops as soon as `add` answers true.
 */
export class Lookup {
  readonly userKey: Buffer;
  readonly sequence: number;
  /** Hash of the user key for bloom filters, computed once for all tables; see filter.ts. */
  readonly filterHash: number;
  /** A view into the source, to be copied before it is given away; `undefined` when absent or deleted. */
  value: Buffer | undefined;
  /** Merge operands met above the base value, newest first. */
  operands: Buffer[] | undefined;

  constructor(userKey: Buffer, sequence: number, filterHash: number) {
    this.userKey = userKey;
    this.sequence = sequence;
    this.filterHash = filterHash;
  }

  /** True when no older entry matters. */
  add(kind: number, value: Buffer): boolean {
    switch (kind) {
      case KIND_PUT:
        this.value = value;
        return true;
      case KIND_DELETE:
        return true;
      case KIND_MERGE:
        (this.operands ??= []).push(value);
        return false;
      default:
        throw new Error(`entry kind ${kind} cannot be read by format 1`);
    }
  }
}
