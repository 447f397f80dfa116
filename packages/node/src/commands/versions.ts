/**
 * KVD.GET KVD.PUT KVD.DEL KVD.SIBLINGS: values with what their reader has seen, so that a write replaces that and nothing else.
 *
 * The context that a write answers with stands for what its writer has seen: the one it gave, and its own write. Where other
 * values are left beside its own, it is the one it gave alone: a vector that covers the new write may cover them too, and
 * the next write under it would drop what its writer has never seen.
 */
import {
  type Consistency,
  decodeTrustedRecord,
  type DottedRecord,
  type DottedValue,
  deadlineMsOf,
  formatDot,
  memberNumberOf,
  siblings,
  type Supersedes,
  VersionVector,
  wallMsOf,
  type WriteOperation,
  type WriteOutcome,
} from '@kvd/replication';
import { openContext, sealContext } from '../context-token.ts';
import { REPLY_BYTES_MAX } from '../limits.ts';
import { failure, mapOf, type RespValue } from '../resp/value.ts';
import type { NodeServices } from '../services.ts';
import type { Call } from './command-row.ts';
import { lifetime, optionName, TIME_UNITS } from './expiry-options.ts';
import { keyProblem, sizeProblem, withConsistency, written } from './records.ts';
import { internalError, readFailed, replyTooLarge, SYNTAX_ERROR, writeFailed } from './reply-errors.ts';

const NOTHING_SEEN = VersionVector.EMPTY.encode();

export function kvdGet(call: Call): void {
  readRecord(call, (record, key) => {
    const shown = record === undefined ? [] : siblings(record, call.services.hybridNowMs()).map((value) => value.bytes);
    if (shown.reduce((sum, bytes) => sum + bytes.length, 0) > REPLY_BYTES_MAX) return replyTooLarge(REPLY_BYTES_MAX);
    return [tokenOf(call.services, key, record), shown];
  });
}

export function kvdSiblings(call: Call): void {
  readRecord(call, (record, key) =>
    mapOf([
      ['context', tokenOf(call.services, key, record)],
      ['vector', record?.context.toString() ?? VersionVector.EMPTY.toString()],
      ['siblings', (record?.values ?? []).map((value) => describe(call.services, value))],
    ]),
  );
}

function tokenOf(services: NodeServices, key: Buffer, record: DottedRecord | undefined): string {
  return sealContext(services, key, record === undefined ? NOTHING_SEEN : record.context.encode());
}

/** Calls back with the record, `undefined` when the key was never written; what `reply` makes of it is the answer. */
function readRecord(call: Call, reply: (record: DottedRecord | undefined, key: Buffer) => RespValue): void {
  const key = call.args[1] as Buffer;
  const problem = keyProblem(key);
  if (problem !== undefined) return call.reply(problem);
  const settle = (bytes: Uint8Array | undefined): void => call.reply(decoded(bytes, (record) => reply(record, key)));
  withConsistency(call, (consistency) => {
    if (call.local) return settle(call.services.readLocal(key));
    call.services.read(key, consistency, (outcome) => {
      if (outcome.status === 'ok') settle(outcome.record);
      else call.reply(readFailed(outcome));
    });
  });
}

function decoded(bytes: Uint8Array | undefined, reply: (record: DottedRecord | undefined) => RespValue): RespValue {
  try {
    return reply(bytes === undefined ? undefined : decodeTrustedRecord(bytes));
  } catch (error) {
    return internalError(error as Error & { readonly code: string });
  }
}

function describe(services: NodeServices, value: DottedValue): RespValue {
  const number = memberNumberOf(value.dot.actor);
  const node = services.ring().members.find((member) => member.number === number)?.id ?? null;
  return mapOf([
    ['dot', formatDot(value.dot)],
    ['node', node],
    ['time-ms', wallMsOf(value.hybridTime)],
    ['bytes', value.lengthBytes],
    ['kind', value.tombstone ? 'tombstone' : value.delta ? 'delta' : 'value'],
    ['expires-ms', deadlineMsOf(value) ?? null],
  ]);
}

interface WriteOptions {
  readonly context: Uint8Array | undefined;
  readonly deadlineMs: number | undefined;
}

export function kvdPut(call: Call): void {
  const [, key, value] = call.args as readonly [Buffer, Buffer, Buffer];
  const problem = sizeProblem(call, key, value);
  if (problem !== undefined) return call.reply(problem);
  const options = readOptions(call, key, 3, true);
  if ('refusal' in options) return call.reply(options.refusal);
  const { context, deadlineMs } = options;
  const supersedes: Supersedes = context ?? 'nothing';
  const deadline = deadlineMs === undefined ? undefined : { deadline: deadlineMs };
  write(call, key, { type: 'put', value, supersedes, ...deadline }, context);
}

/** Without a context it deletes what DEL would: all that the coordinator holds or reads. */
export function kvdDel(call: Call): void {
  const key = call.args[1] as Buffer;
  const problem = keyProblem(key);
  if (problem !== undefined) return call.reply(problem);
  const options = readOptions(call, key, 2, false);
  if ('refusal' in options) return call.reply(options.refusal);
  write(call, key, { type: 'delete', supersedes: options.context ?? 'held' }, options.context);
}

/** Each option once, in any order. */
function readOptions(
  call: Call,
  key: Buffer,
  from: number,
  mayExpire: boolean,
): WriteOptions | { readonly refusal: RespValue } {
  const { args, services } = call;
  let context: Uint8Array | undefined;
  let deadlineMs: number | undefined;
  for (let i = from; i < args.length; i += 2) {
    const option = optionName(args[i] as Buffer);
    const word = args[i + 1];
    if (word === undefined) return { refusal: SYNTAX_ERROR };
    if (option === 'CONTEXT' && context === undefined) {
      const opened = openContext(services, key, word);
      if (typeof opened === 'string') return { refusal: failure(`ERR ${opened}`) };
      context = opened;
    } else if (mayExpire && (option === 'EX' || option === 'PX') && deadlineMs === undefined) {
      const deadline = lifetime(word, TIME_UNITS[option], services.hybridNowMs(), 'kvd.put');
      if ('refusal' in deadline) return deadline;
      deadlineMs = deadline.atMs;
    } else return { refusal: SYNTAX_ERROR };
  }
  return { context, deadlineMs };
}

function write(call: Call, key: Buffer, operation: WriteOperation, given: Uint8Array | undefined): void {
  const { services } = call;
  withConsistency(call, (consistency: Consistency) =>
    written(call, key, consistency, operation, (outcome) =>
      call.reply(
        outcome.status === 'ok' ? sealContext(services, key, seenAfter(outcome, given)) : writeFailed(outcome),
      ),
    ),
  );
}

function seenAfter(outcome: Extract<WriteOutcome, { status: 'ok' }>, given: Uint8Array | undefined): Uint8Array {
  return outcome.siblings === undefined ? outcome.context : (given ?? NOTHING_SEEN);
}
