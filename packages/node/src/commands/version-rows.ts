/** The rows of versions.ts. */
import type { ArgumentDoc, CommandRow } from './command-row.ts';
import { kvdDel, kvdGet, kvdPut, kvdSiblings } from './versions.ts';

const KEY: ArgumentDoc = { name: 'key', type: 'key' };
const CONTEXT: ArgumentDoc = { name: 'context', type: 'string', token: 'CONTEXT', optional: true };
const EXPIRY: ArgumentDoc = {
  name: 'expiry',
  type: 'oneof',
  optional: true,
  arguments: [
    { name: 'seconds', type: 'integer', token: 'EX' },
    { name: 'milliseconds', type: 'integer', token: 'PX' },
  ],
};
const ONE_KEY = { firstKey: 1, lastKey: 1, keyStep: 1, group: 'kvd', since: '0.1.0' } as const;

export const VERSION_ROWS: readonly CommandRow[] = [
  {
    name: 'kvd.get',
    arity: 2,
    flags: ['readonly', 'fast'],
    ...ONE_KEY,
    keyFlags: ['RO', 'access'],
    summary: 'Get all siblings of a key, and the context that a write which replaces them needs',
    complexity: 'O(N) where N is the number of siblings',
    arguments: [KEY],
    local: true,
    handler: kvdGet,
  },
  {
    name: 'kvd.siblings',
    arity: 2,
    flags: ['readonly', 'fast'],
    ...ONE_KEY,
    keyFlags: ['RO'],
    summary: 'What is known of each sibling of a key: dot, node, time, size',
    complexity: 'O(N) where N is the number of siblings',
    arguments: [KEY],
    local: true,
    handler: kvdSiblings,
  },
  {
    name: 'kvd.put',
    arity: -3,
    flags: ['write', 'denyoom'],
    ...ONE_KEY,
    keyFlags: ['OW', 'update'],
    summary: 'Set a value in place of exactly what a context has seen; without one, beside what is there',
    complexity: 'O(N) where N is the number of siblings',
    arguments: [KEY, { name: 'value', type: 'string' }, CONTEXT, EXPIRY],
    handler: kvdPut,
  },
  {
    name: 'kvd.del',
    arity: -2,
    flags: ['write'],
    ...ONE_KEY,
    keyFlags: ['RM', 'delete'],
    summary: 'Delete exactly what a context has seen; without one, as DEL does',
    complexity: 'O(N) where N is the number of siblings',
    arguments: [KEY, CONTEXT],
    handler: kvdDel,
  },
];
