/**
 * Which entries of a user key stay when tables are rewritten. Snapshots cut the sequence numbers into stripes; a reader
 * sees of each stripe only what its newest entry says:
 *
 *   snapshots        10        20
 *   stripes     0..10 | 11..20 | 21..∞
 *
 * Of each stripe stays: a put or delete that is its newest entry; or the merge operands above that, folded into one
 * entry. A delete with nothing of the key below it goes when no deeper level can hold the key.
 *
 * Entries of one key are fed newest first; what stays is given on in the same order. Deletes are held back until it is
 * known whether something stays below them.
 */
import { LsmError } from '../errors.ts';
import { KIND_DELETE, KIND_MERGE, KIND_PUT, makeInternalKey } from '../internal-key.ts';
import type { MergeOperator } from '../merge-operator.ts';

export interface KeyFoldOptions {
  /** Ascending. */
  readonly snapshots: readonly number[];
  /** No deeper level holds any of the keys. */
  readonly bottommost: boolean;
  readonly operator: MergeOperator | undefined;
  /** Takes what stays; key and value must be copied if kept. */
  readonly emit: (key: Buffer, value: Buffer) => void;
}

const NO_STRIPE = -1;
const NO_SEQUENCE = -1;
const NO_VALUE = Buffer.alloc(0);

export class KeyFold {
  /** Not given on because nobody can see them. */
  dropped = 0;
  /** Merge operands that went into another entry. */
  folded = 0;
  readonly #options: KeyFoldOptions;
  #userKey: Buffer = NO_VALUE;
  #lastSequence = NO_SEQUENCE;
  /** The stripe of the entry before, if its newest word is spoken: what follows in it is dropped. */
  #closedStripe = NO_STRIPE;
  /** Operands of one stripe, newest first, copied; and the sequence of the newest. */
  #operands: Buffer[] = [];
  #operandStripe = NO_STRIPE;
  #operandSequence = 0;
  /** Sequences of deletes that are held back, newest first. */
  #heldDeletes: number[] = [];

  constructor(options: KeyFoldOptions) {
    this.#options = options;
  }

  /** A new user key begins; `finishKey` ends it. The bytes are kept and must not change until then. */
  startKey(userKey: Buffer): void {
    this.#userKey = userKey;
    this.#closedStripe = NO_STRIPE;
    this.#lastSequence = NO_SEQUENCE;
  }

  /** `key` is the entry's internal key, of the user key begun last. Throws LSM_INCOMPATIBLE_FORMAT, LSM_OPTIONS. */
  add(key: Buffer, sequence: number, kind: number, value: Buffer): void {
    const stripe = this.#stripeOf(sequence);
    // The same entry from two sources is one entry: an operand must not count twice.
    if (stripe === this.#closedStripe || sequence === this.#lastSequence) {
      this.dropped++;
      return;
    }
    this.#lastSequence = sequence;
    if (this.#operands.length > 0 && stripe !== this.#operandStripe) this.#emitOperands(KIND_MERGE, undefined);
    switch (kind) {
      case KIND_PUT:
        return this.#addPut(key, stripe, value);
      case KIND_DELETE:
        return this.#addDelete(stripe, sequence);
      case KIND_MERGE:
        return this.#addOperand(stripe, sequence, value);
      default:
        throw new LsmError('LSM_INCOMPATIBLE_FORMAT', `entry kind ${kind} is not known`);
    }
  }

  /** The user key has no more entries. */
  finishKey(): void {
    const { bottommost } = this.#options;
    if (this.#operands.length > 0) this.#emitOperands(bottommost ? KIND_PUT : KIND_MERGE, undefined);
    if (this.#heldDeletes.length === 0) return;
    if (bottommost) this.dropped += this.#heldDeletes.length;
    else this.#emitHeldDeletes();
    this.#heldDeletes.length = 0;
  }

  #addPut(key: Buffer, stripe: number, value: Buffer): void {
    this.#closedStripe = stripe;
    if (this.#operands.length > 0) {
      this.folded++;
      this.#emitOperands(KIND_PUT, value);
      return;
    }
    this.#emitHeldDeletes();
    this.#options.emit(key, value);
  }

  #addDelete(stripe: number, sequence: number): void {
    this.#closedStripe = stripe;
    if (this.#operands.length > 0) {
      this.folded++;
      this.#emitOperands(KIND_PUT, undefined);
      return;
    }
    this.#heldDeletes.push(sequence);
  }

  #addOperand(stripe: number, sequence: number, value: Buffer): void {
    if (this.#options.operator === undefined) {
      throw new LsmError('LSM_OPTIONS', 'the tables hold merge operands, but the engine has no merge operator');
    }
    if (this.#operands.length === 0) {
      this.#operandStripe = stripe;
      this.#operandSequence = sequence;
    }
    this.#operands.push(Buffer.from(value));
  }

  /** Gives on all operands as one entry. A single operand without a base stays as it is unless it becomes a put. */
  #emitOperands(kind: typeof KIND_PUT | typeof KIND_MERGE, base: Buffer | undefined): void {
    const operands = this.#operands;
    const operator = this.#options.operator as MergeOperator;
    const alone = operands.length === 1 && kind === KIND_MERGE;
    const value = alone ? (operands[0] as Buffer) : operator.merge(base, operands.reverse());
    this.folded += operands.length - 1;
    this.#operands = [];
    this.#emitHeldDeletes();
    this.#options.emit(makeInternalKey(this.#userKey, this.#operandSequence, kind), value);
  }

  #emitHeldDeletes(): void {
    if (this.#heldDeletes.length === 0) return;
    for (const sequence of this.#heldDeletes) {
      this.#options.emit(makeInternalKey(this.#userKey, sequence, KIND_DELETE), NO_VALUE);
    }
    this.#heldDeletes.length = 0;
  }

  /** Number of snapshots that cannot see the sequence: entries with the same number are in one stripe. */
  #stripeOf(sequence: number): number {
    const { snapshots } = this.#options;
    let stripe = 0;
    while (stripe < snapshots.length && (snapshots[stripe] as number) < sequence) stripe++;
    return stripe;
  }
}
