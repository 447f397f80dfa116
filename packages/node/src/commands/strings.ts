/** GET MGET MSET STRLEN GETRANGE SUBSTR. */
import { REPLY_BYTES_MAX } from '../limits.ts';
import { OK } from '../resp/value.ts';
import { readInt64 } from '../resp/decimal.ts';
import type { Call, CommandRow } from './command-row.ts';
import { operate, readValue, sizeProblem, withConsistency } from './records.ts';
import { NOT_AN_INTEGER, replyTooLarge, wrongArity } from './reply-errors.ts';
import { scatter } from './scatter.ts';

const NOTHING = Buffer.alloc(0);

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

/** A part of the value, both ends included; a negative place counts from the end. */
function getrange(call: Call): void {
  const from = readInt64(call.args[2] as Buffer);
  const to = readInt64(call.args[3] as Buffer);
  if (from === undefined || to === undefined) return call.reply(NOT_AN_INTEGER);
  withConsistency(call, (consistency) =>
    readValue(call, consistency, call.args[1] as Buffer, (value = NOTHING, failed) =>
      call.reply(failed ?? partOf(value, from, to)),
    ),
  );
}

/** As Redis: places before the value are its begin, whatever lies behind it is cut off. */
function partOf(value: Uint8Array, from: bigint, to: bigint): Uint8Array {
  if (from < 0n && to < 0n && from > to) return NOTHING;
  const place = (at: bigint): number => Math.max(0, Number(at) + (at < 0n ? value.length : 0));
  return value.subarray(place(from), Math.min(place(to), value.length - 1) + 1);
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
      ([key, value], settled) =>
        operate(
          call,
          consistency,
          key,
          { type: 'put', value, supersedes: 'held', answer: 'presence' },
          (result, failed) => settled(result && true, failed),
        ),
      (_, failed) => call.reply(failed ?? OK),
    ),
  );
}

const KEY = { name: 'key', type: 'key' } as const;
const VALUE = { name: 'value', type: 'string' } as const;
const ONE_KEY = { firstKey: 1, lastKey: 1, keyStep: 1 } as const;
const READS = { keyFlags: ['RO', 'access'], flags: ['readonly', 'fast'], local: true } as const;

const RANGE = {
  arity: 4,
  flags: ['readonly'],
  ...ONE_KEY,
  keyFlags: ['RO', 'access'],
  local: true,
  group: 'string',
  complexity: 'O(N) where N is the length of the returned string.',
  arguments: [KEY, { name: 'start', type: 'integer' }, { name: 'end', type: 'integer' }],
  handler: getrange,
} as const;

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
    name: 'getrange',
    ...RANGE,
    since: '2.4.0',
    summary: 'Get a substring of the string stored at a key',
  },
  {
    name: 'substr',
    ...RANGE,
    since: '1.0.0',
    summary: 'Get a substring of the string stored at a key',
    deprecated: { since: '2.0.0', replacedBy: '`GETRANGE`' },
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
