/** Reading and writing keys for commands: what a client is to be told when it fails is made here. */
import {
  type Consistency,
  type DottedRecord,
  decodeTrustedRecord,
  type LiveValue,
  type OperationResult,
  winner,
  type WriteOperation,
  type WriteOutcome,
} from '@kvd/replication';
import { KEY_BYTES_MAX } from '../config.ts';
import { failure, type RespValue } from '../resp/value.ts';
import type { Call } from './command-row.ts';
import { internalError, keyTooLarge, readFailed, valueTooLarge, writeFailed } from './reply-errors.ts';
import type { Settled } from './scatter.ts';

/** What the command asks of its replicas; or what to tell the client. */
export function consistencyOf(call: Call): Consistency | { readonly refusal: RespValue } {
  const { services, session, overrides } = call;
  const made =
    overrides === undefined
      ? session.consistency(services)
      : services.consistency({ ...session.overrides, ...overrides });
  return typeof made === 'string' ? { refusal: failure(`ERR ${made}`) } : made;
}

/** Calls `go` with the consistency, unless it makes no sense: then the client is told. */
export function withConsistency(call: Call, go: (consistency: Consistency) => void): void {
  const consistency = consistencyOf(call);
  if ('refusal' in consistency) call.reply(consistency.refusal);
  else go(consistency);
}

/** The value that GET shows, `undefined` when there is none. Behind KVD.LOCAL it is what this node holds. */
export function readValue(call: Call, consistency: Consistency, key: Buffer, settled: Settled<Uint8Array>): void {
  readWinner(call, consistency, key, (value, failed) => settled(value?.bytes, failed));
}

/** The same with what is known of it: when it expires. */
export function readWinner(call: Call, consistency: Consistency, key: Buffer, settled: Settled<LiveValue>): void {
  readRecord(call, consistency, key, (record, failed) =>
    settled(record && winner(record, call.services.hybridNowMs()), failed),
  );
}

/** All that is held of the key. */
export function readRecord(call: Call, consistency: Consistency, key: Buffer, settled: Settled<DottedRecord>): void {
  const problem = keyProblem(key);
  if (problem !== undefined) return settled(undefined, problem);
  if (call.local) return settleRecord(call.services.readLocal(key), settled);
  call.services.read(key, consistency, (outcome) => {
    if (outcome.status === 'ok') settleRecord(outcome.record, settled);
    else settled(undefined, readFailed(outcome));
  });
}

function settleRecord(bytes: Uint8Array | undefined, settled: Settled<DottedRecord>): void {
  if (bytes === undefined) return settled(undefined);
  let record: DottedRecord;
  try {
    record = decodeTrustedRecord(bytes);
  } catch (error) {
    return settled(undefined, internalError(error as Error & { readonly code: string }));
  }
  settled(record);
}

/** Runs the operation at the key's coordinator, in one piece: what it found and made. */
export function operate(
  call: Call,
  consistency: Consistency,
  key: Buffer,
  operation: WriteOperation,
  settled: Settled<OperationResult>,
): void {
  written(call, key, consistency, operation, (outcome) => {
    if (outcome.status === 'ok') settled(outcome.result);
    else settled(undefined, writeFailed(outcome));
  });
}

/** Every write of a connection goes this way: WAIT asks about the last one, and commands on all keys wait for it. */
export function written(
  call: Call,
  key: Buffer,
  consistency: Consistency,
  operation: WriteOperation,
  done: (outcome: WriteOutcome) => void,
): void {
  const { writes } = call.session;
  writes.begin();
  call.services.write(key, operation, consistency, (outcome) => {
    done(outcome);
    writes.end(key, consistency, outcome);
  });
}

/** Why the key and value (or one of so many bytes) may not be written; `undefined` if they may. Asked before anything is. */
export function sizeProblem(call: Call, key: Buffer, value: Uint8Array | number): RespValue | undefined {
  const { maxValueBytes } = call.services.config;
  return keyProblem(key) ?? valueProblem(typeof value === 'number' ? value : value.length, maxValueBytes);
}

function valueProblem(bytes: number, bytesMax: number): RespValue | undefined {
  return bytes > bytesMax ? valueTooLarge(bytes, bytesMax) : undefined;
}

/** Why there can be no such key; `undefined` if there can. */
export function keyProblem(key: Buffer): RespValue | undefined {
  return key.length > KEY_BYTES_MAX ? keyTooLarge(key.length, KEY_BYTES_MAX) : undefined;
}

/** Each key once, in order: a command that names a key twice means one key. */
export function distinctKeys(keys: readonly Buffer[]): readonly Buffer[] {
  if (keys.length < 2) return keys;
  const seen = new Set<string>();
  return keys.filter((key) => {
    const text = key.toString('latin1');
    return seen.has(text) ? false : seen.add(text);
  });
}
