/** The rows of SET and of its older and narrower forms. */
import type { ArgumentDoc, CommandRow } from './command-row.ts';
import { getdel, getex, getset, msetnx, psetex, set, setex, setnx } from './set.ts';

const KEY = { name: 'key', type: 'key' } as const;
const VALUE = { name: 'value', type: 'string' } as const;
const STRING = { firstKey: 1, lastKey: 1, keyStep: 1, group: 'string', complexity: 'O(1)' } as const;

function token(name: string, word: string, since?: string): ArgumentDoc {
  return { name, type: 'pure-token', token: word, ...(since !== undefined && { since }) };
}

/** EX PX EXAT PXAT, and what may stand in their place. */
function expiration(last: ArgumentDoc, since?: { readonly fromNow: string; readonly absolute: string }): ArgumentDoc {
  const fromNow = since && { since: since.fromNow };
  const absolute = since && { since: since.absolute };
  return {
    name: 'expiration',
    type: 'oneof',
    optional: true,
    arguments: [
      { name: 'seconds', type: 'integer', token: 'EX', ...fromNow },
      { name: 'milliseconds', type: 'integer', token: 'PX', ...fromNow },
      { name: 'unix-time-seconds', type: 'unix-time', token: 'EXAT', ...absolute },
      { name: 'unix-time-milliseconds', type: 'unix-time', token: 'PXAT', ...absolute },
      last,
    ],
  };
}

export const SET_ROWS: readonly CommandRow[] = [
  {
    name: 'set',
    arity: -3,
    flags: ['write', 'denyoom'],
    ...STRING,
    keyFlags: ['RW', 'access', 'update', 'variable_flags'],
    keyNotes: 'RW and ACCESS due to the optional `GET` argument',
    since: '1.0.0',
    summary: 'Set the string value of a key',
    history: [
      ['2.6.12', 'Added the `EX`, `PX`, `NX` and `XX` options.'],
      ['6.0.0', 'Added the `KEEPTTL` option.'],
      ['6.2.0', 'Added the `GET`, `EXAT` and `PXAT` option.'],
      ['7.0.0', 'Allowed the `NX` and `GET` options to be used together.'],
    ],
    arguments: [
      KEY,
      VALUE,
      {
        name: 'condition',
        type: 'oneof',
        since: '2.6.12',
        optional: true,
        arguments: [token('nx', 'NX'), token('xx', 'XX')],
      },
      { ...token('get', 'GET', '6.2.0'), optional: true },
      expiration(token('keepttl', 'KEEPTTL', '6.0.0'), { fromNow: '2.6.12', absolute: '6.2.0' }),
    ],
    handler: set,
  },
  {
    name: 'setex',
    arity: 4,
    flags: ['write', 'denyoom'],
    ...STRING,
    keyFlags: ['OW', 'update'],
    since: '2.0.0',
    summary: 'Set the value and expiration of a key',
    arguments: [KEY, { name: 'seconds', type: 'integer' }, VALUE],
    handler: setex,
  },
  {
    name: 'psetex',
    arity: 4,
    flags: ['write', 'denyoom'],
    ...STRING,
    keyFlags: ['OW', 'update'],
    since: '2.6.0',
    summary: 'Set the value and expiration in milliseconds of a key',
    arguments: [KEY, { name: 'milliseconds', type: 'integer' }, VALUE],
    handler: psetex,
  },
  {
    name: 'setnx',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    ...STRING,
    keyFlags: ['OW', 'insert'],
    since: '1.0.0',
    summary: 'Set the value of a key, only if the key does not exist',
    arguments: [KEY, VALUE],
    handler: setnx,
  },
  {
    name: 'getset',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    ...STRING,
    keyFlags: ['RW', 'access', 'update'],
    since: '1.0.0',
    summary: 'Set the string value of a key and return its old value',
    deprecated: { since: '6.2.0', replacedBy: '`SET` with the `!GET` argument' },
    arguments: [KEY, VALUE],
    handler: getset,
  },
  {
    name: 'getdel',
    arity: 2,
    flags: ['write', 'fast'],
    ...STRING,
    keyFlags: ['RW', 'access', 'delete'],
    since: '6.2.0',
    summary: 'Get the value of a key and delete the key',
    arguments: [KEY],
    handler: getdel,
  },
  {
    name: 'getex',
    arity: -2,
    flags: ['write', 'fast'],
    ...STRING,
    keyFlags: ['RW', 'access', 'update'],
    keyNotes: 'RW and UPDATE because it changes the TTL',
    since: '6.2.0',
    summary: 'Get the value of a key and optionally set its expiration',
    arguments: [KEY, expiration(token('persist', 'PERSIST'))],
    handler: getex,
  },
  {
    name: 'msetnx',
    arity: -3,
    flags: ['write', 'denyoom'],
    ...STRING,
    lastKey: -1,
    keyStep: 2,
    keyFlags: ['OW', 'insert'],
    tips: ['request_policy:multi_shard', 'response_policy:agg_min'],
    since: '1.0.1',
    summary: 'Set a key to a value, only if it does not exist; several keys at once are refused',
    complexity: 'O(N) where N is the number of keys to set.',
    arguments: [{ name: 'key_value', type: 'block', multiple: true, arguments: [KEY, VALUE] }],
    handler: msetnx,
  },
];
