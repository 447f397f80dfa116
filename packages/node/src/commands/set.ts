/** SET SETEX PSETEX SETNX GETSET GETDEL GETEX MSETNX: one key, looked at and written in one operation at its coordinator. */
import { FOREVER_MS, type OperationResult, type PutOperation, type WriteOperation } from '@kvd/replication';
import { slotOf } from '@kvd/ring';
import { OK, type RespValue } from '../resp/value.ts';
import type { Call } from './command-row.ts';
import { lifetime, readValueOptions, TIME_UNITS, type TimeUnit, type ValueOptions } from './expiry-options.ts';
import { keyProblem, operate, readValue, sizeProblem, withConsistency } from './records.ts';
import { CROSS_SLOT, notAvailable, SYNTAX_ERROR, wrongArity } from './reply-errors.ts';

export function set(call: Call): void {
  const [, key, value] = call.args as readonly [Buffer, Buffer, Buffer];
  if (call.args.length === 3) return put(call, key, blind(value), () => OK);
  const options = readValueOptions(call.args, 'SET');
  if (options === undefined) return call.reply(SYNTAX_ERROR);
  const operation = putOperation(call, value, options);
  if ('refusal' in operation) return call.reply(operation.refusal);
  put(call, key, operation, ({ applied, value: old }) => (options.get ? (old ?? null) : applied ? OK : null));
}

function plain(value: Buffer): PutOperation {
  return { type: 'put', value, supersedes: 'held' };
}

/** Where the client is not told the value before: it need not travel. */
function blind(value: Buffer): PutOperation {
  return { type: 'put', value, supersedes: 'held', answer: 'presence' };
}

function putOperation(
  call: Call,
  value: Buffer,
  options: ValueOptions,
): PutOperation | { readonly refusal: RespValue } {
  const { condition, time, word } = options;
  const operation = { ...(options.get ? plain(value) : blind(value)), ...(condition !== undefined && { condition }) };
  if (word === 'KEEPTTL') return { ...operation, deadline: 'keep' };
  if (time === undefined) return operation;
  const deadline = lifetime(time.word, time.unit, call.services.hybridNowMs(), 'set');
  return 'refusal' in deadline ? deadline : { ...operation, deadline: deadline.atMs };
}

/** SETEX and PSETEX: key, time, value. */
function setWithTime(name: 'setex' | 'psetex', unit: TimeUnit): (call: Call) => void {
  return (call) => {
    const [, key, time, value] = call.args as readonly [Buffer, Buffer, Buffer, Buffer];
    const deadline = lifetime(time, unit, call.services.hybridNowMs(), name);
    if ('refusal' in deadline) return call.reply(deadline.refusal);
    put(call, key, { ...blind(value), deadline: deadline.atMs }, () => OK);
  };
}

export const setex = setWithTime('setex', TIME_UNITS.EX);
export const psetex = setWithTime('psetex', TIME_UNITS.PX);

export function setnx(call: Call): void {
  const [, key, value] = call.args as readonly [Buffer, Buffer, Buffer];
  put(call, key, { ...blind(value), condition: 'absent' }, ({ applied }) => (applied ? 1 : 0));
}

export function getset(call: Call): void {
  const [, key, value] = call.args as readonly [Buffer, Buffer, Buffer];
  put(call, key, plain(value), ({ value: old }) => old ?? null);
}

export function getdel(call: Call): void {
  change(call, { type: 'delete', supersedes: 'held' });
}

/** Without options it is GET. A time that makes no sense is an error only where there is a value, as in Redis. */
export function getex(call: Call): void {
  const options = readValueOptions(call.args, 'GETEX');
  if (options === undefined) return call.reply(SYNTAX_ERROR);
  const { time, word } = options;
  if (word === 'PERSIST') return change(call, { type: 'expire', atMs: FOREVER_MS });
  if (time === undefined) return unlessAbsent(call, (value) => value);
  const deadline = lifetime(time.word, time.unit, call.services.hybridNowMs(), 'getex');
  if ('refusal' in deadline) return unlessAbsent(call, () => deadline.refusal);
  change(call, { type: 'expire', atMs: deadline.atMs });
}

function unlessAbsent(call: Call, reply: (value: Uint8Array) => RespValue): void {
  withConsistency(call, (consistency) =>
    readValue(call, consistency, call.args[1] as Buffer, (value, failed) =>
      call.reply(failed ?? (value === undefined ? null : reply(value))),
    ),
  );
}

/** Answers with the value that was there before. */
function change(call: Call, operation: WriteOperation): void {
  const key = call.args[1] as Buffer;
  const problem = keyProblem(key);
  if (problem !== undefined) return call.reply(problem);
  withConsistency(call, (consistency) =>
    operate(call, consistency, key, operation, (result, failed) => call.reply(failed ?? result?.value ?? null)),
  );
}

/** All or none of several keys cannot be had: each is a record with a coordinator of its own. */
export function msetnx(call: Call): void {
  const { args } = call;
  if (args.length % 2 === 0) return call.reply(wrongArity('msetnx'));
  const key = args[1] as Buffer;
  const value = args[args.length - 1] as Buffer;
  const others = args.filter((word, i) => i % 2 === 1 && !key.equals(word));
  if (others.some((other) => slotOf(other) !== slotOf(key))) return call.reply(CROSS_SLOT);
  if (others.length > 0) return call.reply(SEVERAL_KEYS);
  put(call, key, { ...blind(value), condition: 'absent' }, ({ applied }) => (applied ? 1 : 0));
}

const SEVERAL_KEYS = notAvailable(
  'MSETNX of several keys',
  'keys are written one by one, and all or none of them cannot be promised; use SET with NX for each',
);

function put(call: Call, key: Buffer, operation: PutOperation, reply: (result: OperationResult) => RespValue): void {
  const problem = sizeProblem(call, key, operation.value);
  if (problem !== undefined) return call.reply(problem);
  withConsistency(call, (consistency) =>
    operate(call, consistency, key, operation, (result, failed) =>
      call.reply(failed ?? reply(result as OperationResult)),
    ),
  );
}
