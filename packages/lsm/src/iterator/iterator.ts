/**
 * An ordered walk over internal keys (user key + trailer). All steps are synchronous; a step that must read may throw
 * LsmError (LSM_IO, LSM_CORRUPTION) and never skips what it could not read. `key()` and `value()` are views that are
 * valid until the next move, and may only be asked for while `valid()`.
 */
export interface InternalIterator {
  valid(): boolean;
  seekToFirst(): void;
  seekToLast(): void;
  /** To the first entry whose internal key is ≥ `internalKey`. */
  seek(internalKey: Buffer): void;
  next(): void;
  prev(): void;
  key(): Buffer;
  value(): Buffer;
}
