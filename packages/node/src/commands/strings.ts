/** GET SET MGET MSET STRLEN. */
import { REPLY_BYTES_MAX } from '../limits.ts';
import { OK, type RespValue } from '../resp/value.ts';
import { readDecimal } from '../resp/decimal.ts';
import type { Call, CommandRow } from './command-row.ts';
import { putValue, readValue, sizeProblem, withConsistency } from './records.ts';
import { NOT_AN_INTEGER, notAvailable, replyTooLarge, SYNTAX_ERROR, wrongArity } from './reply-errors.ts';
import { scatter } from './scatter.ts';

function get(call: Call): void {
  withConsistency(call, (consistency) =>
    readValue(call, consistency, call.args[1] as Buffer, (value, failed) => call.reply(failed ?? value ?? null)),
  );
}

function strlen(call: Call): void {
  withConsistency(call, (consistency) =>
    readValue(call, consistency, call.args[1] as Buffer, (value, failed) => call.reply(failed ?? value?.length ?? 0)),
  );
}

function set(call: Call): void {
  const [, key, value] = call.args as readonly [Buffer, Buffer, Buffer];
  const problem = optionProblem(call.args) ?? sizeProblem(call, key, value);
  if (problem !== undefined) return call.reply(problem);
  withConsistency(call, (consistency) =>
    putValue(call, consistency, key, value, (_, failed) => call.reply(failed ?? OK)),
  );
}

const CONDITIONS = new Set(['NX', 'XX']);
const EXPIRIES = new Set(['EX', 'PX', 'EXAT', 'PXAT']);

/** SET is plain in this version; what Redis would refuse is refused in its words. */
function optionProblem(args: readonly Buffer[]): RespValue | undefined {
  if (args.length === 3) return undefined;
  let expiry: string | undefined;
  let condition: string | undefined;
  let seconds: Buffer | undefined;
  for (let i = 3; i < args.length; i++) {
    const option = (args[i] as Buffer).toString('latin1', 0, 8).toUpperCase();
    if (CONDITIONS.has(option) && (condition ?? option) === option) condition = option;
    else if (option === 'KEEPTTL' && expiry === undefined) expiry = option;
    else if (EXPIRIES.has(option) && expiry === undefined && i + 1 < args.length) {
      expiry = option;
      seconds = args[++i];
    } else if (option !== 'GET') return SYNTAX_ERROR;
  }
  if (seconds !== undefined && Number.isNaN(readDecimal(seconds))) return NOT_AN_INTEGER;
  return optionNotAvailable(condition ?? expiry ?? 'GET');
}

function optionNotAvailable(option: string): RespValue {
  const why = CONDITIONS.has(option)
    ? 'a value cannot be set on a condition; use plain SET'
    : option === 'GET'
      ? 'use GET, then SET'
      : 'keys do not expire; use plain SET, and DEL';
  return notAvailable(`SET option ${option}`, why, 'yet');
}

function mget(call: Call): void {
  let bytes = 0;
  withConsistency(call, (consistency) =>
    scatter<Buffer, Uint8Array>(
      call.args.slice(1),
      (key, settled) =>
        readValue(call, consistency, key, (value, failed) => {
          bytes += value?.length ?? 0;
          settled(value, bytes > REPLY_BYTES_MAX ? replyTooLarge(REPLY_BYTES_MAX) : failed);
        }),
      (values, failed) => call.reply(failed ?? values.map((value) => value ?? null)),
    ),
  );
}

function mset(call: Call): void {
  if (call.args.length % 2 === 0) return call.reply(wrongArity('mset'));
  const pairs = new Map<string, readonly [Buffer, Buffer]>();
  for (let i = 1; i < call.args.length; i += 2) {
    const key = call.args[i] as Buffer;
    const value = call.args[i + 1] as Buffer;
    const problem = sizeProblem(call, key, value);
    if (problem !== undefined) return call.reply(problem);
    // Of a key that is named twice the last value holds, as in Redis.
    pairs.set(key.toString('latin1'), [key, value]);
  }
  withConsistency(call, (consistency) =>
    scatter<readonly [Buffer, Buffer], true>(
      [...pairs.values()],
      ([key, value], settled) => putValue(call, consistency, key, value, settled),
      (_, failed) => call.reply(failed ?? OK),
    ),
  );
}

const KEY = { name: 'key', type: 'key' } as const;
const VALUE = { name: 'value', type: 'string' } as const;
const ONE_KEY = { firstKey: 1, lastKey: 1, keyStep: 1 } as const;
const READS = { keyFlags: ['RO', 'access'], flags: ['readonly', 'fast'], local: true } as const;

export const STRING_ROWS: readonly CommandRow[] = [
  {
    name: 'get',
    arity: 2,
    ...ONE_KEY,
    ...READS,
    group: 'string',
    since: '1.0.0',
    summary: 'Get the value of a key',
    complexity: 'O(1)',
    arguments: [KEY],
    handler: get,
  },
  {
    name: 'set',
    arity: -3,
    flags: ['write', 'denyoom'],
    ...ONE_KEY,
    keyFlags: ['RW', 'access', 'update', 'variable_flags'],
    keyNotes: 'RW and ACCESS due to the optional `GET` argument',
    group: 'string',
    since: '1.0.0',
    summary: 'Set the string value of a key',
    complexity: 'O(1)',
    arguments: [KEY, VALUE],
    handler: set,
  },
  {
    name: 'mget',
    arity: -2,
    firstKey: 1,
    lastKey: -1,
    keyStep: 1,
    ...READS,
    tips: ['request_policy:multi_shard'],
    group: 'string',
    since: '1.0.0',
    summary: 'Get the values of all the given keys',
    complexity: 'O(N) where N is the number of keys to retrieve.',
    arguments: [{ ...KEY, multiple: true }],
    handler: mget,
  },
  {
    name: 'mset',
    arity: -3,
    flags: ['write', 'denyoom'],
    firstKey: 1,
    lastKey: -1,
    keyStep: 2,
    keyFlags: ['OW', 'update'],
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    group: 'string',
    since: '1.0.1',
    summary: 'Set multiple keys to multiple values, each by itself: not atomically',
    complexity: 'O(N) where N is the number of keys to set.',
    arguments: [{ name: 'key_value', type: 'block', multiple: true, arguments: [KEY, VALUE] }],
    handler: mset,
  },
  {
    name: 'strlen',
    arity: 2,
    ...ONE_KEY,
    keyFlags: ['RO'],
    flags: ['readonly', 'fast'],
    local: true,
    group: 'string',
    since: '2.2.0',
    summary: 'Get the length of the value stored in a key',
    complexity: 'O(1)',
    arguments: [KEY],
    handler: strlen,
  },
];
