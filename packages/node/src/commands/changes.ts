/** INCR DECR INCRBY DECRBY INCRBYFLOAT APPEND SETRANGE: a value made of the one before, at the key's coordinator. */
import type { OperationResult, WriteOperation } from '@kvd/replication';
import { failure, isFailure, type RespValue } from '../resp/value.ts';
import { INT64_MIN, readInt64 } from '../resp/decimal.ts';
import type { Call, CommandRow } from './command-row.ts';
import { keyProblem, operate, sizeProblem, withConsistency } from './records.ts';
import { NOT_A_FLOAT, NOT_AN_INTEGER, OFFSET_OUT_OF_RANGE, resultTooLarge, TOO_LONG } from './reply-errors.ts';

const WOULD_OVERFLOW = failure('ERR decrement would overflow');
/** The longest string of Redis (proto-max-bulk-len). */
const REDIS_BYTES_MAX = 512 * 1024 * 1024;

function incr(call: Call): void {
  add(call, 1n);
}

function decr(call: Call): void {
  add(call, -1n);
}

function incrby(call: Call): void {
  const delta = readInt64(call.args[2] as Buffer);
  if (delta === undefined) return call.reply(NOT_AN_INTEGER);
  add(call, delta);
}

function decrby(call: Call): void {
  const delta = readInt64(call.args[2] as Buffer);
  if (delta === undefined) return call.reply(NOT_AN_INTEGER);
  if (delta === INT64_MIN) return call.reply(WOULD_OVERFLOW);
  add(call, -delta);
}

function add(call: Call, delta: bigint): void {
  change(call, { type: 'add', delta, ...tokenOf(call) }, integerOf);
}

/** As Redis reads them, but for hexadecimal ones: digits with a point and an exponent, or an infinity. */
const FLOAT = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)$/i;
/** Longer ones are refused, in the words for those that are none. */
const FLOAT_BYTES_MAX = 256;

function incrbyfloat(call: Call): void {
  const word = call.args[2] as Buffer;
  const delta = word.length > FLOAT_BYTES_MAX ? '' : word.toString('latin1');
  if (!FLOAT.test(delta)) return call.reply(NOT_A_FLOAT);
  change(call, { type: 'add-float', delta, ...tokenOf(call) }, ({ value }) => value ?? null);
}

function tokenOf({ requestToken }: Call): { readonly requestToken?: Uint8Array } {
  return requestToken === undefined ? {} : { requestToken };
}

function append(call: Call): void {
  const [, key, value] = call.args as readonly [Buffer, Buffer, Buffer];
  const problem = sizeProblem(call, key, value);
  if (problem !== undefined) return call.reply(problem);
  change(call, { type: 'append', value }, integerOf, (failed) => tooLongAs(call, failed));
}

/** The length that came of it is known to the coordinator alone; the limit's name is that of this command layer. */
function tooLongAs({ services }: Call, failed: RespValue): RespValue {
  const isTooLong = isFailure(failed) && isFailure(TOO_LONG) && failed.text === TOO_LONG.text;
  return isTooLong ? resultTooLarge(services.config.maxValueBytes) : failed;
}

function setrange(call: Call): void {
  const [, key, place, value] = call.args as readonly [Buffer, Buffer, Buffer, Buffer];
  const offset = readInt64(place);
  if (offset === undefined) return call.reply(NOT_AN_INTEGER);
  if (offset < 0n) return call.reply(OFFSET_OUT_OF_RANGE);
  const bytes = Number(offset) + value.length;
  // Nothing is written where nothing is given, be it ever so far behind the end.
  if (value.length === 0) return change(call, { type: 'set-range', offset: 0, value }, integerOf);
  if (bytes > REDIS_BYTES_MAX) return call.reply(TOO_LONG);
  const problem = sizeProblem(call, key, bytes);
  if (problem !== undefined) return call.reply(problem);
  change(call, { type: 'set-range', offset: Number(offset), value }, integerOf);
}

function change(
  call: Call,
  operation: WriteOperation,
  reply: (result: OperationResult) => RespValue,
  refuse: (failed: RespValue) => RespValue = (failed) => failed,
): void {
  const key = call.args[1] as Buffer;
  const problem = keyProblem(key);
  if (problem !== undefined) return call.reply(problem);
  withConsistency(call, (consistency) =>
    operate(call, consistency, key, operation, (result, failed) =>
      call.reply(failed === undefined ? reply(result as OperationResult) : refuse(failed)),
    ),
  );
}

/** The decimal text as an integer reply: of 64 bits, if it must be. */
function integerOf({ value }: OperationResult): RespValue {
  const text = Buffer.from(value ?? '0').toString('latin1');
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

const KEY = { name: 'key', type: 'key' } as const;
const VALUE = { name: 'value', type: 'string' } as const;
const STRING = { firstKey: 1, lastKey: 1, keyStep: 1, group: 'string', complexity: 'O(1)' } as const;
const COUNTER = {
  flags: ['write', 'denyoom', 'fast'],
  ...STRING,
  keyFlags: ['RW', 'access', 'update'],
  repeatable: true,
} as const;

export const CHANGE_ROWS: readonly CommandRow[] = [
  {
    name: 'incr',
    arity: 2,
    ...COUNTER,
    since: '1.0.0',
    summary: 'Increment the integer value of a key by one',
    arguments: [KEY],
    handler: incr,
  },
  {
    name: 'decr',
    arity: 2,
    ...COUNTER,
    since: '1.0.0',
    summary: 'Decrement the integer value of a key by one',
    arguments: [KEY],
    handler: decr,
  },
  {
    name: 'incrby',
    arity: 3,
    ...COUNTER,
    since: '1.0.0',
    summary: 'Increment the integer value of a key by the given amount',
    arguments: [KEY, { name: 'increment', type: 'integer' }],
    handler: incrby,
  },
  {
    name: 'decrby',
    arity: 3,
    ...COUNTER,
    since: '1.0.0',
    summary: 'Decrement the integer value of a key by the given number',
    arguments: [KEY, { name: 'decrement', type: 'integer' }],
    handler: decrby,
  },
  {
    name: 'incrbyfloat',
    arity: 3,
    ...COUNTER,
    since: '2.6.0',
    summary: 'Increment the float value of a key by the given amount',
    arguments: [KEY, { name: 'increment', type: 'double' }],
    handler: incrbyfloat,
  },
  {
    name: 'append',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    ...STRING,
    keyFlags: ['RW', 'insert'],
    since: '2.0.0',
    summary: 'Append a value to a key',
    complexity: 'O(N) where N is the length of the value that comes of it: it is stored anew.',
    arguments: [KEY, VALUE],
    handler: append,
  },
  {
    name: 'setrange',
    arity: 4,
    flags: ['write', 'denyoom'],
    ...STRING,
    keyFlags: ['RW', 'update'],
    since: '2.2.0',
    summary: 'Overwrite part of a string at key starting at the specified offset',
    complexity: 'O(N) where N is the length of the value that comes of it: it is stored anew.',
    arguments: [KEY, { name: 'offset', type: 'integer' }, VALUE],
    handler: setrange,
  },
];
