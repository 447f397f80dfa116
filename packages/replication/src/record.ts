/**
 * A record: the unit of storage, replication, hints, hashing and transfer. A context (all that has been seen of this
 * record) and the values that nothing seen has superseded, each under its dot.
 *
 *   context  {A@7 B@4}
 *   values   A@7 "x"   B@3 tombstone          two siblings: none saw the other
 *
 * Invariants: values ascend by dot, at least one; every dot, a deadline's too, is covered by the context; records never
 * change.
 *
 * **Merge** is the dotted-version-vector rule (Preguiça, Baquero, Almeida, Fonte, Gonçalves 2010): what one side holds
 * survives unless the other side's context covers its dot and the other side does not hold it. Associative,
 * commutative, idempotent; and exact: the survivors are those writes that no other write has superseded.
 *
 * **Deadlines** of one value follow the same rule among themselves: the causally later replaces, concurrent ones are
 * all kept and the longest counts. Keeping only the longest would not be associative. They go when their value goes.
 */
import { crc32 } from './checksum.ts';
import { absorb } from './crdt/absorbed.ts';
import { counterValue, isCounter } from './crdt/counter.ts';
import { type Deadline, isDue, isShown } from './deadline.ts';
import { compareDots, type Dot, formatDot } from './dot.ts';
import { asBuffer } from './encoding.ts';
import { ReplicationError } from './errors.ts';
import type { HybridTime } from './hybrid-clock.ts';
import { VersionVector } from './version-vector.ts';

export { type Deadline, deadlineMsOf, FOREVER_MS } from './deadline.ts';

/** The types of records; on disk. */
export const RECORD_TYPE_STRING = 0;
/** A write that would leave more siblings than this is refused; a merge never is. */
export const SIBLINGS_MAX = 64;
export interface DottedValue {
  readonly dot: Dot;
  readonly hybridTime: HybridTime;
  readonly tombstone: boolean;
  /** What one actor has added to a counter, in the form of crdt/delta.ts; else a register's value. Never a tombstone. */
  readonly delta: boolean;
  /** Concurrent deadlines, ascending by dot; the longest counts. Empty: none was ever set. */
  readonly deadlines: readonly Deadline[];
  /** CRC-32 of the value's bytes, also after they were stripped; 0 for a tombstone. */
  readonly checksum: number;
  /** Of the value's bytes, also after they were stripped; 0 for a tombstone. */
  readonly lengthBytes: number;
  /** Undefined: a tombstone, or stripped after expiry. May be a view of what the record was decoded from. */
  readonly bytes: Uint8Array | undefined;
  /** Set by later versions (docs/formats.md "Records"); carried unchanged. */
  readonly extensions: Uint8Array | undefined;
}

/** A value that a reader is given. */
export type LiveValue = DottedValue & { readonly bytes: Uint8Array };

export interface DottedRecord {
  readonly type: typeof RECORD_TYPE_STRING;
  readonly context: VersionVector;
  readonly values: readonly DottedValue[];
}

const NO_VALUES: readonly DottedValue[] = [];

export interface RecordWrite {
  /** Above everything that the record's context has of its actor. */
  readonly dot: Dot;
  readonly hybridTime: HybridTime;
  readonly value: Uint8Array | 'tombstone';
  /** All that is held; nothing (a sibling on purpose); or exactly what this context covers. */
  readonly supersedes: 'held' | 'nothing' | VersionVector;
  /** The value's deadline; not with a tombstone. */
  readonly deadlineMs?: number;
}

/**
 * The record after one write, coordinated here. The bytes of the value are kept, not copied. Throws
 * REPLICATION_DOT_REUSED, REPLICATION_BAD_CONTEXT (the context to supersede covers the new dot),
 * REPLICATION_TOO_MANY_SIBLINGS.
 */
export function applyWrite(base: DottedRecord | undefined, write: RecordWrite): DottedRecord {
  assertFresh(base, write.dot);
  const written = writtenValue(write);
  if (write.supersedes === 'held') {
    return {
      type: RECORD_TYPE_STRING,
      context: (base?.context ?? VersionVector.EMPTY).with(write.dot),
      values: [absorbing(written, base?.values ?? NO_VALUES, NO_VALUES)],
    };
  }
  const superseded = write.supersedes === 'nothing' ? VersionVector.EMPTY : write.supersedes;
  if (superseded.covers(write.dot)) {
    throw new ReplicationError(
      'REPLICATION_BAD_CONTEXT',
      `the context names ${formatDot(write.dot)}, a write that was never made; KVD.GET the key for its context`,
    );
  }
  const kept: DottedValue[] = [];
  const dropped: DottedValue[] = [];
  for (const value of base?.values ?? NO_VALUES) (superseded.covers(value.dot) ? dropped : kept).push(value);
  assertRoom(kept);
  const values = [...kept, absorbing(written, dropped, kept)];
  const context = (base?.context ?? VersionVector.EMPTY).join(superseded).with(write.dot);
  return { type: RECORD_TYPE_STRING, context, values: values.sort(byDot) };
}

/**
 * The record after one more write, which gives all values held a deadline instead of the ones held: EXPIRE and PERSIST.
 * What has expired at `nowMs` keeps its own: it must not come back.
 */
export function applyDeadline(base: DottedRecord, deadline: Deadline, nowMs = 0): DottedRecord {
  assertFresh(base, deadline.dot);
  const values = base.values.map((value) =>
    value.tombstone || isDue(value, nowMs) ? value : { ...value, deadlines: [deadline] },
  );
  return { type: base.type, context: base.context.with(deadline.dot), values };
}

function assertFresh(base: DottedRecord | undefined, dot: Dot): void {
  if (base?.context.covers(dot)) throw dotReused(dot, 'the record has seen it already');
}

/** Deltas of a counter are no siblings: there is one for each actor that has added. */
function assertRoom(kept: readonly DottedValue[]): void {
  const count = kept.reduce((sum, value) => sum + (value.delta ? 0 : 1), 0);
  if (count < SIBLINGS_MAX) return;
  throw new ReplicationError(
    'REPLICATION_TOO_MANY_SIBLINGS',
    `the key has ${count} siblings, ${SIBLINGS_MAX} at most; KVD.GET the key and KVD.PUT one value with the context`,
  );
}

function absorbing(value: DottedValue, dropped: readonly DottedValue[], kept: readonly DottedValue[]): DottedValue {
  const extensions = absorb(value.dot.actor, dropped, kept);
  return extensions === undefined ? value : { ...value, extensions };
}

function writtenValue({ dot, hybridTime, value, deadlineMs }: RecordWrite): DottedValue {
  const tombstone = value === 'tombstone';
  const bytes = tombstone ? undefined : value;
  return {
    dot,
    hybridTime,
    tombstone,
    delta: false,
    deadlines: tombstone || deadlineMs === undefined ? [] : [{ atMs: deadlineMs, dot }],
    checksum: bytes === undefined ? 0 : crc32(bytes),
    lengthBytes: bytes === undefined ? 0 : bytes.length,
    bytes,
    extensions: undefined,
  };
}

/**
 * What both have seen, joined. The left record itself when the right one adds nothing to it: then there is nothing to
 * store. Throws REPLICATION_DOT_REUSED when the two hold different values under one dot.
 */
export function mergeRecords(left: DottedRecord, right: DottedRecord): DottedRecord {
  if (left === right) return left;
  const context = left.context.join(right.context);
  const values = mergeDotted(left.values, right.values, left.context, right.context, (mine, theirs) =>
    mergeValue(mine, theirs, left.context, right.context),
  );
  if (context === left.context && values === left.values) return left;
  return { type: left.type, context, values };
}

/**
 * The dotted-version-vector rule on two lists that ascend by dot. The left list itself when it is the result.
 * `join` merges two elements of one dot, and returns the left one itself when it is the result.
 */
function mergeDotted<T extends { readonly dot: Dot }>(
  left: readonly T[],
  right: readonly T[],
  leftContext: VersionVector,
  rightContext: VersionVector,
  join: (left: T, right: T) => T,
): readonly T[] {
  const merged: T[] = [];
  let same = true;
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const mine = left[i];
    const theirs = right[j];
    const order = mine === undefined ? 1 : theirs === undefined ? -1 : compareDots(mine.dot, theirs.dot);
    if (order <= 0) i++;
    if (order >= 0) j++;
    if (order === 0) {
      const joined = join(mine as T, theirs as T);
      if (joined !== mine) same = false;
      merged.push(joined);
    } else if (order < 0) {
      if (rightContext.covers((mine as T).dot)) same = false;
      else merged.push(mine as T);
    } else if (!leftContext.covers((theirs as T).dot)) {
      same = false;
      merged.push(theirs as T);
    }
  }
  return same ? left : merged;
}

/**
 * One write, as two replicas hold it: they may differ in deadlines set since, and in whether the bytes were stripped.
 */
function mergeValue(
  left: DottedValue,
  right: DottedValue,
  leftContext: VersionVector,
  rightContext: VersionVector,
): DottedValue {
  assertSameWrite(left, right);
  const deadlines =
    left.deadlines.length === 0 && right.deadlines.length === 0
      ? left.deadlines
      : mergeDotted(left.deadlines, right.deadlines, leftContext, rightContext, sameDeadline);
  const bytes = left.bytes ?? right.bytes;
  return deadlines === left.deadlines && bytes === left.bytes ? left : { ...left, deadlines, bytes };
}

function sameDeadline(left: Deadline, right: Deadline): Deadline {
  if (left.atMs !== right.atMs) throw dotReused(left.dot, `deadlines ${left.atMs} and ${right.atMs}`);
  return left;
}

/**
 * A dot is the identity of one write: two writes under one dot mean that an actor has issued it twice, and no merge is
 * right.
 */
function assertSameWrite(left: DottedValue, right: DottedValue): void {
  const same =
    left.checksum === right.checksum &&
    left.lengthBytes === right.lengthBytes &&
    left.hybridTime === right.hybridTime &&
    left.tombstone === right.tombstone &&
    left.delta === right.delta &&
    sameBytes(left.extensions, right.extensions);
  if (!same) throw dotReused(left.dot, `checksums ${left.checksum} and ${right.checksum}`);
}

function sameBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return asBuffer(left).equals(right);
}

function dotReused(dot: Dot, what: string): ReplicationError {
  return new ReplicationError('REPLICATION_DOT_REUSED', `dot ${formatDot(dot)} stands for two writes: ${what}`);
}

function byDot(left: DottedValue, right: DottedValue): number {
  return compareDots(left.dot, right.dot);
}

/**
 * What GET returns: of all siblings the one with the latest hybrid time, ties by dot. When that is a tombstone or has
 * expired, the key is absent: an older sibling must not come back because a newer one was deleted or ran out. What was added
 * to a counter is on top of it, in decimal text (crdt/counter.ts). `nowMs`: the wall part of the reader's hybrid time;
 * without it nothing expires.
 */
export function winner(record: DottedRecord, nowMs = 0): LiveValue | undefined {
  const register = winningRegister(record, nowMs);
  return isCounter(record) ? counterValue(record, register, nowMs) : register;
}

/** The winner without what was added on top. */
export function winningRegister(record: DottedRecord, nowMs: number): LiveValue | undefined {
  let latest: DottedValue | undefined;
  for (const value of record.values) {
    if (!value.delta && (latest === undefined || value.hybridTime >= latest.hybridTime)) latest = value;
  }
  return latest !== undefined && isShown(latest, nowMs) ? latest : undefined;
}

/** True when GET finds a value. */
export function isLive(record: DottedRecord, nowMs = 0): boolean {
  return winner(record, nowMs) !== undefined;
}

/**
 * Every value that a reader may be shown, ascending by dot: what KVD.GET returns. No tombstones, nothing expired. Of a counter
 * each base with what was added on top; without a base that alone.
 */
export function siblings(record: DottedRecord, nowMs = 0): readonly LiveValue[] {
  const shown = record.values.filter((value): value is LiveValue => !value.delta && isShown(value, nowMs));
  if (!isCounter(record)) return shown;
  const bases = shown.length === 0 ? [undefined] : shown;
  return bases.map((base) => counterValue(record, base, nowMs)).filter((value) => value !== undefined);
}

/**
 * The record without the bytes of values that have expired at `nowMs`; itself when there are none. Dots, deadlines,
 * checksums and lengths stay, and so does the record's hash.
 */
export function stripExpired(record: DottedRecord, nowMs: number): DottedRecord {
  // A delta is small, and its sum is wanted when it is superseded.
  const due = (value: DottedValue): boolean => value.bytes !== undefined && !value.delta && isDue(value, nowMs);
  if (!record.values.some(due)) return record;
  return { ...record, values: record.values.map((value) => (due(value) ? { ...value, bytes: undefined } : value)) };
}

/** True when both are the same state: their canonical bytes are equal. */
export function recordsEqual(left: DottedRecord, right: DottedRecord): boolean {
  if (left === right) return true;
  if (left.values.length !== right.values.length || !left.context.equals(right.context)) return false;
  return left.values.every((value, i) => valuesEqual(value, right.values[i] as DottedValue));
}

function valuesEqual(left: DottedValue, right: DottedValue): boolean {
  return (
    byDot(left, right) === 0 &&
    left.checksum === right.checksum &&
    left.lengthBytes === right.lengthBytes &&
    left.hybridTime === right.hybridTime &&
    left.tombstone === right.tombstone &&
    left.delta === right.delta &&
    sameBytes(left.bytes, right.bytes) &&
    sameBytes(left.extensions, right.extensions) &&
    left.deadlines.length === right.deadlines.length &&
    left.deadlines.every((deadline, i) => deadlinesEqual(deadline, right.deadlines[i] as Deadline))
  );
}

function deadlinesEqual(left: Deadline, right: Deadline): boolean {
  return left.atMs === right.atMs && compareDots(left.dot, right.dot) === 0;
}
