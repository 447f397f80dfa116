/** A promise that was broken: which one (the names of FAULTS §3.2), how, and for which key. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  readonly invariant: string;
  readonly key: string | undefined;

  constructor(invariant: string, message: string, key?: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
    this.key = key;
  }
}
