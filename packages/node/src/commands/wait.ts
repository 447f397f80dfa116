/**
 * WAIT and WAITAOF: how many nodes hold the last write of this connection, beside the first. Asking also makes the copies that
 * are missing. As in Redis the answer may be less than was asked for, when the time is over.
 */
import { failure, type RespValue } from '../resp/value.ts';
import { readInt64 } from '../resp/decimal.ts';
import type { Copies } from '../services.ts';
import type { Call, CommandRow } from './command-row.ts';
import { NOT_AN_INTEGER } from './reply-errors.ts';

const TIMEOUT_NOT_AN_INTEGER = failure('ERR timeout is not an integer or out of range');
const TIMEOUT_NEGATIVE = failure('ERR timeout is negative');
const NOT_POSITIVE = failure('ERR value is out of range, must be positive');
const LOCAL_OUT_OF_RANGE = failure('ERR value is out of range, value must between 0 and 1');
/** What 0 stands for, which is for ever in Redis: a node does not keep a question for ever. */
const LONGEST_MS = 30_000;

/** `WAIT numreplicas timeout`. */
function wait(call: Call): void {
  const [, count, timeout] = call.args as readonly [Buffer, Buffer, Buffer];
  const wanted = readInt64(count);
  if (wanted === undefined) return call.reply(NOT_AN_INTEGER);
  const time = readTimeout(timeout);
  if (typeof time !== 'number') return call.reply(time.refusal);
  ask(
    call,
    'memory',
    time,
    (copies) => BigInt(beside(copies)) >= wanted,
    (copies) => beside(copies),
  );
}

/** `WAITAOF numlocal numreplicas timeout`: nodes whose disk has it; local is this node, which may be no owner. */
function waitAof(call: Call): void {
  const [, local, count, timeout] = call.args as readonly [Buffer, Buffer, Buffer, Buffer];
  const localWanted = readInt64(local);
  const wanted = readInt64(count);
  if (localWanted === undefined || localWanted < 0n || localWanted > 1n) return call.reply(LOCAL_OUT_OF_RANGE);
  if (wanted === undefined || wanted < 0n) return call.reply(wanted === undefined ? NOT_AN_INTEGER : NOT_POSITIVE);
  const time = readTimeout(timeout);
  if (typeof time !== 'number') return call.reply(time.refusal);
  const others = ({ nodes, here }: Copies): number => nodes - (here ? 1 : 0);
  const enough = (copies: Copies): boolean =>
    BigInt(copies.here ? 1 : 0) >= localWanted && BigInt(others(copies)) >= wanted;
  ask(call, 'sync', time, enough, (copies) => [copies.here ? 1 : 0, others(copies)]);
}

function readTimeout(word: Buffer): number | { readonly refusal: RespValue } {
  const value = readInt64(word);
  if (value === undefined) return { refusal: TIMEOUT_NOT_AN_INTEGER };
  if (value < 0n) return { refusal: TIMEOUT_NEGATIVE };
  return value === 0n || value > LONGEST_MS ? LONGEST_MS : Number(value);
}

/** Redis counts replicas beside the primary. */
function beside({ nodes }: Copies): number {
  return Math.max(0, nodes - 1);
}

/** A connection that has written nothing waits for nothing. */
function ask(
  call: Call,
  durability: 'memory' | 'sync',
  timeoutMs: number,
  isEnough: (copies: Copies) => boolean,
  reply: (copies: Copies) => RespValue,
): void {
  const { writes } = call.session;
  writes.whenSettled(() => {
    if (writes.last === undefined) return call.reply(reply({ nodes: 0, here: false }));
    const { key, context, consistency } = writes.last;
    const request = { key, context, consistency, durability, isEnough, timeoutMs };
    call.services.countCopies(request, (copies) => call.reply(reply(copies)));
  });
}

const GENERIC = { flags: ['noscript'], categories: ['connection'], group: 'generic' } as const;
const TIMEOUT = { name: 'timeout', type: 'integer' } as const;

export const WAIT_ROWS: readonly CommandRow[] = [
  {
    name: 'wait',
    arity: 3,
    ...GENERIC,
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    since: '3.0.0',
    summary: 'How many replicas hold the last write of this connection, beside the first; makes missing copies',
    complexity: 'O(N) where N is the number of replicas',
    arguments: [{ name: 'numreplicas', type: 'integer' }, TIMEOUT],
    handler: wait,
  },
  {
    name: 'waitaof',
    arity: 4,
    ...GENERIC,
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    since: '7.2.0',
    summary: 'Whether this node, and how many others, have the last write of this connection on disk',
    complexity: 'O(N) where N is the number of replicas',
    arguments: [{ name: 'numlocal', type: 'integer' }, { name: 'numreplicas', type: 'integer' }, TIMEOUT],
    handler: waitAof,
  },
];
