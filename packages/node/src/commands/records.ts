/** Reading and writing keys for commands: what a client is to be told when it fails is made here. */
import { type Consistency, decodeTrustedRecord, winner, type WriteOperation } from '@kvd/replication';
import { KEY_BYTES_MAX } from '../config.ts';
import { failure, type RespValue } from '../resp/value.ts';
import type { Call } from './command-row.ts';
import { internalError, keyTooLarge, readFailed, valueTooLarge, writeFailed } from './reply-errors.ts';
import type { Settled } from './scatter.ts';

const NO_VALUE = Buffer.alloc(0);
const DELETE: WriteOperation = Object.freeze({ type: 'delete', value: NO_VALUE, supersedes: 'held' });

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
  if (key.length > KEY_BYTES_MAX) return settled(undefined, keyTooLarge(key.length, KEY_BYTES_MAX));
  if (call.local) return settleValue(call.services.readLocal(key), settled);
  call.services.read(key, consistency, (outcome) => {
    if (outcome.status === 'ok') settleValue(outcome.record, settled);
    else settled(undefined, readFailed(outcome));
  });
}

function settleValue(record: Uint8Array | undefined, settled: Settled<Uint8Array>): void {
  if (record === undefined) return settled(undefined);
  let value: Uint8Array | undefined;
  try {
    value = winner(decodeTrustedRecord(record))?.bytes;
  } catch (error) {
    return settled(undefined, internalError(error as Error & { readonly code: string }));
  }
  settled(value);
}

export function putValue(
  call: Call,
  consistency: Consistency,
  key: Buffer,
  value: Buffer,
  settled: Settled<true>,
): void {
  write(call, consistency, key, { type: 'put', value, supersedes: 'held' }, settled);
}

export function deleteKey(call: Call, consistency: Consistency, key: Buffer, settled: Settled<true>): void {
  write(call, consistency, key, DELETE, settled);
}

function write(
  call: Call,
  consistency: Consistency,
  key: Buffer,
  operation: WriteOperation,
  settled: Settled<true>,
): void {
  call.services.write(key, operation, consistency, (outcome) => {
    if (outcome.status === 'ok') settled(true);
    else settled(undefined, writeFailed(outcome));
  });
}

/** Why the key and value may not be written; `undefined` if they may. Asked before anything is. */
export function sizeProblem(call: Call, key: Buffer, value: Buffer): RespValue | undefined {
  const { maxValueBytes } = call.services.config;
  if (key.length > KEY_BYTES_MAX) return keyTooLarge(key.length, KEY_BYTES_MAX);
  return value.length > maxValueBytes ? valueTooLarge(value.length, maxValueBytes) : undefined;
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
