/** EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST TTL PTTL EXPIRETIME PEXPIRETIME: when a key's value goes by itself. */
import { deadlineMsOf, type ExpireOperation, FOREVER_MS } from '@kvd/replication';
import { failure, type RespValue } from '../resp/value.ts';
import type { Call, CommandRow } from './command-row.ts';
import { expiryTime, optionName, TIME_UNITS, type TimeUnit } from './expiry-options.ts';
import { keyProblem, operate, readWinner, withConsistency } from './records.ts';
import { unsupportedOption } from './reply-errors.ts';

const NX_EXCLUDES = failure('ERR NX and XX, GT or LT options at the same time are not compatible');
const GT_EXCLUDES_LT = failure('ERR GT and LT options at the same time are not compatible');

const NO_KEY = -2;
const NO_DEADLINE = -1;

type Condition = NonNullable<ExpireOperation['condition']>;

/** What stands behind the time. In Redis a later combination is an error only when all words are known. */
function readCondition(words: readonly Buffer[]): Condition | undefined | { readonly refusal: RespValue } {
  const given = new Set<string>();
  for (const word of words) {
    const option = optionName(word);
    if (!['NX', 'XX', 'GT', 'LT'].includes(option)) return { refusal: unsupportedOption(word) };
    given.add(option);
  }
  if (given.has('NX') && given.size > 1) return { refusal: NX_EXCLUDES };
  if (given.has('GT') && given.has('LT')) return { refusal: GT_EXCLUDES_LT };
  if (given.has('XX') && given.has('LT')) return 'XX-LT';
  // A key without a deadline is never exceeded: GT says what XX says, and more.
  if (given.has('GT')) return 'GT';
  return [...given][0] as Condition | undefined;
}

function expire(name: string, unit: TimeUnit): (call: Call) => void {
  return (call) => {
    const condition = readCondition(call.args.slice(3));
    if (typeof condition === 'object') return call.reply(condition.refusal);
    const deadline = expiryTime(call.args[2] as Buffer, unit, call.services.hybridNowMs(), name);
    if ('refusal' in deadline) return call.reply(deadline.refusal);
    changeDeadline(call, {
      type: 'expire',
      atMs: deadline.atMs,
      ...(condition !== undefined && { condition }),
      answer: 'presence',
    });
  };
}

/** XX: a value that never expires is left as it is, and 0 is the answer. */
function persist(call: Call): void {
  changeDeadline(call, { type: 'expire', atMs: FOREVER_MS, condition: 'XX', answer: 'presence' });
}

function changeDeadline(call: Call, operation: ExpireOperation): void {
  const key = call.args[1] as Buffer;
  const problem = keyProblem(key);
  if (problem !== undefined) return call.reply(problem);
  withConsistency(call, (consistency) =>
    operate(call, consistency, key, operation, (result, failed) => call.reply(failed ?? (result?.applied ? 1 : 0))),
  );
}

/** The deadline as it is to be shown: left from now or since 1970, in seconds (rounded) or milliseconds. */
function show({ fromNow, inSeconds }: TimeUnit): (call: Call) => void {
  return (call) =>
    withConsistency(call, (consistency) =>
      readWinner(call, consistency, call.args[1] as Buffer, (value, failed) => {
        if (value === undefined) return call.reply(failed ?? NO_KEY);
        const atMs = deadlineMsOf(value);
        if (atMs === undefined) return call.reply(NO_DEADLINE);
        const shown = fromNow ? Math.max(0, atMs - call.services.hybridNowMs()) : atMs;
        call.reply(inSeconds ? Math.floor((shown + 500) / 1000) : shown);
      }),
    );
}

const KEY = { name: 'key', type: 'key' } as const;
const GENERIC = { firstKey: 1, lastKey: 1, keyStep: 1, group: 'generic', complexity: 'O(1)' } as const;
const CONDITION = {
  name: 'condition',
  type: 'oneof',
  since: '7.0.0',
  optional: true,
  arguments: (['NX', 'XX', 'GT', 'LT'] as const).map((token) => ({
    name: token.toLowerCase(),
    type: 'pure-token' as const,
    token,
  })),
} as const;
const EXPIRES = {
  arity: -3,
  flags: ['write', 'fast'],
  ...GENERIC,
  keyFlags: ['RW', 'update'],
  history: [['7.0.0', 'Added options: `NX`, `XX`, `GT` and `LT`.']],
} as const;
const SHOWS = {
  arity: 2,
  flags: ['readonly', 'fast'],
  ...GENERIC,
  keyFlags: ['RO', 'access'],
  local: true,
  arguments: [KEY],
} as const;
const SHOWS_REST = {
  ...SHOWS,
  tips: ['nondeterministic_output'],
  history: [['2.8.0', 'Added the -2 reply.']],
} as const;

export const EXPIRY_ROWS: readonly CommandRow[] = [
  {
    name: 'expire',
    ...EXPIRES,
    since: '1.0.0',
    summary: "Set a key's time to live in seconds",
    arguments: [KEY, { name: 'seconds', type: 'integer' }, CONDITION],
    handler: expire('expire', TIME_UNITS.EX),
  },
  {
    name: 'pexpire',
    ...EXPIRES,
    since: '2.6.0',
    summary: "Set a key's time to live in milliseconds",
    arguments: [KEY, { name: 'milliseconds', type: 'integer' }, CONDITION],
    handler: expire('pexpire', TIME_UNITS.PX),
  },
  {
    name: 'expireat',
    ...EXPIRES,
    since: '1.2.0',
    summary: 'Set the expiration for a key as a UNIX timestamp',
    arguments: [KEY, { name: 'unix-time-seconds', type: 'unix-time' }, CONDITION],
    handler: expire('expireat', TIME_UNITS.EXAT),
  },
  {
    name: 'pexpireat',
    ...EXPIRES,
    since: '2.6.0',
    summary: 'Set the expiration for a key as a UNIX timestamp specified in milliseconds',
    arguments: [KEY, { name: 'unix-time-milliseconds', type: 'unix-time' }, CONDITION],
    handler: expire('pexpireat', TIME_UNITS.PXAT),
  },
  {
    name: 'persist',
    arity: 2,
    flags: ['write', 'fast'],
    ...GENERIC,
    keyFlags: ['RW', 'update'],
    since: '2.2.0',
    summary: 'Remove the expiration from a key',
    arguments: [KEY],
    handler: persist,
  },
  {
    name: 'ttl',
    ...SHOWS_REST,
    since: '1.0.0',
    summary: 'Get the time to live for a key in seconds',
    handler: show(TIME_UNITS.EX),
  },
  {
    name: 'pttl',
    ...SHOWS_REST,
    since: '2.6.0',
    summary: 'Get the time to live for a key in milliseconds',
    handler: show(TIME_UNITS.PX),
  },
  {
    name: 'expiretime',
    ...SHOWS,
    since: '7.0.0',
    summary: 'Get the expiration Unix timestamp for a key',
    handler: show(TIME_UNITS.EXAT),
  },
  {
    name: 'pexpiretime',
    ...SHOWS,
    since: '7.0.0',
    summary: 'Get the expiration Unix timestamp for a key in milliseconds',
    handler: show(TIME_UNITS.PXAT),
  },
];
