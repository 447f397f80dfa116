/**
 * What an operation makes of a record: pure, so that a coordinator runs it between reading the record and storing the new one,
 * and two operations never build on the same base.
 *
 * An expired value is absent. Where a condition does not hold there is nothing to write, and no dot is issued. What makes no
 * sense on the value held is rejected in the words of Redis.
 */
import { addToCounter, hasRun } from './crdt/counter.ts';
import { formatDecimal, INT64_MAX, INT64_MIN, ONE, parseDecimal, parseInt64 } from './crdt/decimal.ts';
import { idOfRequest } from './crdt/delta.ts';
import type { Dot } from './dot.ts';
import { asBuffer } from './encoding.ts';
import type { HybridTime } from './hybrid-clock.ts';
import type {
  AddFloatOperation,
  AddOperation,
  DeleteOperation,
  ExpireOperation,
  OperationResult,
  PutOperation,
  RequestId,
  SetRangeOperation,
  Supersedes,
  WriteOperation,
} from './messages.ts';
import {
  applyDeadline,
  applyWrite,
  type DottedRecord,
  deadlineMsOf,
  FOREVER_MS,
  type LiveValue,
  type RecordWrite,
  siblings,
  stripExpired,
  winner,
  winningRegister,
} from './record.ts';
import { VersionVector } from './version-vector.ts';

export interface Stamp {
  readonly dot: Dot;
  readonly hybridTime: HybridTime;
}

export interface OperationContext {
  /** Issues the write's dot; called at most once, and only when something is to be written. */
  readonly stamp: () => Stamp;
  /** The wall part of the coordinator's hybrid time. */
  readonly nowMs: number;
  readonly requestId: RequestId;
  /** Bytes that a value may have. */
  readonly valueBytesMax: number;
}

/**
 * `record` undefined: nothing to write. The record that was given, itself: the request has been run before, perhaps elsewhere;
 * what it made must be spread and acknowledged like any write. `rejected`: the error for the client.
 */
export type Applied =
  | { readonly record: DottedRecord | undefined; readonly result: OperationResult }
  | { readonly rejected: string };

const NOT_AN_INTEGER: Applied = { rejected: 'ERR value is not an integer or out of range' };
const NOT_A_FLOAT: Applied = { rejected: 'ERR value is not a valid float' };
const WOULD_OVERFLOW: Applied = { rejected: 'ERR increment or decrement would overflow' };
const INFINITE: Applied = { rejected: 'ERR increment would produce NaN or Infinity' };
const TOO_LONG: Applied = { rejected: 'ERR string exceeds maximum allowed size (proto-max-bulk-len)' };

const NO_BYTES = Buffer.alloc(0);

/**
 * Throws REPLICATION_BAD_CONTEXT and REPLICATION_TOO_MANY_SIBLINGS as `applyWrite` does, REPLICATION_BAD_RECORD for a counter
 * that cannot be read.
 */
export function applyOperation(
  base: DottedRecord | undefined,
  operation: WriteOperation,
  context: OperationContext,
): Applied {
  switch (operation.type) {
    case 'put':
      return put(base, operation, context);
    case 'delete':
      return remove(base, operation, context);
    case 'expire':
      return expire(base, operation, context);
    case 'append':
      return replace(base, (before) => joined(before, operation.value), context);
    case 'set-range':
      return setRange(base, operation, context);
    case 'add':
      return add(base, operation, context);
    case 'add-float':
      return addFloat(base, operation, context);
  }
}

/** The operation builds on what replicas hold: a coordinator that may hold less must read first. */
export function buildsOnHeld(operation: WriteOperation): boolean {
  switch (operation.type) {
    case 'put':
      return operation.supersedes === 'held' || operation.condition !== undefined || operation.deadline === 'keep';
    case 'delete':
      return operation.supersedes === 'held';
    default:
      return true;
  }
}

/**
 * Another coordinator may run the operation when the first is silent and may have run it: a second run changes nothing that
 * matters, or is found out by the request's id. Of the others the client must be told that it is not known.
 */
export function isRepeatable(operation: WriteOperation): boolean {
  switch (operation.type) {
    case 'put':
    case 'expire':
      return operation.condition === undefined;
    case 'delete':
    case 'add':
    case 'add-float':
      return true;
    default:
      return false;
  }
}

function winnerOf(base: DottedRecord | undefined, { nowMs }: OperationContext): LiveValue | undefined {
  return base === undefined ? undefined : winner(base, nowMs);
}

function resultOf(applied: boolean, before: LiveValue | undefined, answer: 'presence' | undefined): OperationResult {
  return { applied, value: answer === undefined || before === undefined ? before?.bytes : NO_BYTES };
}

function supersededBy(supersedes: Supersedes): RecordWrite['supersedes'] {
  return typeof supersedes === 'string' ? supersedes : VersionVector.decode(supersedes);
}

function put(base: DottedRecord | undefined, operation: PutOperation, context: OperationContext): Applied {
  const before = winnerOf(base, context);
  const { condition, deadline } = operation;
  const applied = condition === undefined || (condition === 'present') === (before !== undefined);
  const result = resultOf(applied, before, operation.answer);
  if (!applied) return { record: undefined, result };
  const deadlineMs = deadline === 'keep' ? before && deadlineMsOf(before) : deadline;
  const isPast = deadlineMs !== undefined && deadlineMs <= context.nowMs;
  const written = { ...context.stamp(), supersedes: supersededBy(operation.supersedes) };
  if (isPast) return { record: applyWrite(base, { ...written, value: 'tombstone' }), result };
  const lasting = deadlineMs === undefined ? written : { ...written, deadlineMs };
  return { record: applyWrite(base, { ...lasting, value: operation.value }), result };
}

/** Nothing is written where nothing is shown; unless a context names what may be held elsewhere. */
function remove(base: DottedRecord | undefined, operation: DeleteOperation, context: OperationContext): Applied {
  const before = winnerOf(base, context);
  const isVoid = operation.supersedes === 'held' && (base === undefined || siblings(base, context.nowMs).length === 0);
  const result = resultOf(!isVoid, before, operation.answer);
  if (isVoid) return { record: undefined, result };
  const supersedes = supersededBy(operation.supersedes);
  return { record: applyWrite(base, { ...context.stamp(), value: 'tombstone', supersedes }), result };
}

function expire(base: DottedRecord | undefined, operation: ExpireOperation, context: OperationContext): Applied {
  const before = winnerOf(base, context);
  const { atMs, condition, answer } = operation;
  if (base === undefined || before === undefined || !mayExpire(deadlineMsOf(before), atMs, condition)) {
    return { record: undefined, result: resultOf(false, before, answer) };
  }
  const stamp = context.stamp();
  const record =
    atMs <= context.nowMs
      ? applyWrite(base, { ...stamp, value: 'tombstone', supersedes: 'held' })
      : applyDeadline(base, { atMs, dot: stamp.dot }, context.nowMs);
  return { record, result: resultOf(true, before, answer) };
}

/** The rules of EXPIRE in Redis 7; a key without a deadline counts as lasting for ever. */
function mayExpire(currentMs: number | undefined, atMs: number, condition: ExpireOperation['condition']): boolean {
  if (atMs === FOREVER_MS && currentMs === undefined) return false;
  switch (condition) {
    case undefined:
      return true;
    case 'NX':
      return currentMs === undefined;
    case 'XX':
      return currentMs !== undefined;
    case 'GT':
      return currentMs !== undefined && atMs > currentMs;
    case 'LT':
      return currentMs === undefined || atMs < currentMs;
    case 'XX-LT':
      return currentMs !== undefined && atMs < currentMs;
  }
}

/** A value made of the one before, in its stead and with its deadline; answers with its length. */
function replace(
  base: DottedRecord | undefined,
  make: (before: Uint8Array) => Uint8Array,
  context: OperationContext,
): Applied {
  const before = winnerOf(base, context);
  const value = make(before?.bytes ?? NO_BYTES);
  if (value.length > context.valueBytesMax) return TOO_LONG;
  const deadlineMs = before && deadlineMsOf(before);
  const write = { ...context.stamp(), value, supersedes: 'held' } as const;
  const record = applyWrite(base, deadlineMs === undefined ? write : { ...write, deadlineMs });
  return { record, result: { applied: true, value: textBytes(value.length) } };
}

function joined(before: Uint8Array, more: Uint8Array): Uint8Array {
  return Buffer.concat([before, more]);
}

/** Where nothing is given nothing is written, be it ever so far behind the end. */
function setRange(base: DottedRecord | undefined, operation: SetRangeOperation, context: OperationContext): Applied {
  const { offset, value } = operation;
  if (value.length === 0) {
    const lengthBytes = winnerOf(base, context)?.bytes.length ?? 0;
    return { record: undefined, result: { applied: false, value: textBytes(lengthBytes) } };
  }
  if (offset + value.length > context.valueBytesMax) return TOO_LONG;
  return replace(base, (before) => overlaid(before, offset, value), context);
}

function overlaid(before: Uint8Array, offset: number, value: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(Math.max(before.length, offset + value.length));
  bytes.set(before);
  bytes.set(value, offset);
  return bytes;
}

function textBytes(value: number): Buffer {
  return Buffer.from(String(value), 'latin1');
}

function add(base: DottedRecord | undefined, operation: AddOperation, context: OperationContext): Applied {
  const before = winnerOf(base, context);
  const current = before === undefined ? 0n : parseInt64(before.bytes);
  const id = idOfRequest(operation.requestToken ?? context.requestId);
  if (current === undefined) return NOT_AN_INTEGER;
  if (base !== undefined && hasRun(base, id)) return ranBefore(base, before);
  const sum = current + operation.delta;
  if (sum > INT64_MAX || sum < INT64_MIN) return WOULD_OVERFLOW;
  return added(base, { amount: operation.delta * ONE, id, operation }, sum.toString(), context);
}

function addFloat(base: DottedRecord | undefined, operation: AddFloatOperation, context: OperationContext): Applied {
  const before = winnerOf(base, context);
  const current = before === undefined ? 0n : parseDecimal(asBuffer(before.bytes).toString('latin1'));
  const amount = parseDecimal(operation.delta);
  const id = idOfRequest(operation.requestToken ?? context.requestId);
  if (current === undefined || amount === undefined) return NOT_A_FLOAT;
  if (base !== undefined && hasRun(base, id)) return ranBefore(base, before);
  if (current === 'infinite' || amount === 'infinite') return INFINITE;
  const text = formatDecimal(current + amount);
  if (parseDecimal(text) === 'infinite') return INFINITE;
  return added(base, { amount, id, operation }, text, context);
}

function ranBefore(record: DottedRecord, value: LiveValue | undefined): Applied {
  return { record, result: { applied: true, value: value?.bytes ?? textBytes(0) } };
}

interface Sum {
  readonly amount: bigint;
  readonly id: Buffer;
  readonly operation: AddOperation | AddFloatOperation;
}

function added(base: DottedRecord | undefined, sum: Sum, text: string, context: OperationContext): Applied {
  const { nowMs } = context;
  const register = base === undefined ? undefined : winningRegister(base, nowMs);
  const { amount, id, operation } = sum;
  const repeated = operation.repeated === true || operation.requestToken !== undefined;
  const record = addToCounter(base, register, { ...context.stamp(), amount, id, repeated, nowMs });
  return { record: stripExpired(record, nowMs), result: { applied: true, value: Buffer.from(text, 'latin1') } };
}
