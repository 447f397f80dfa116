/** Small answers that clients and tools of Redis ask for: READONLY READWRITE ASKING ROLE LASTSAVE OBJECT MEMORY ACL MODULE. */
import { failure, OK, type RespValue } from '../resp/value.ts';
import type { Call, CommandRow } from './command-row.ts';
import { helpRow } from './help.ts';
import { readValue, withConsistency } from './records.ts';
import { SYNTAX_ERROR } from './reply-errors.ts';

/** As Redis: a string up to so many bytes is kept with its head. */
const EMBEDDED_BYTES_MAX = 44;
/** Of a record beside its key and value: header, context of one writer, and the engine's entry; about. */
const RECORD_OVERHEAD_BYTES = 64;
const NO_POLICY = {
  IDLETIME: 'no access times are kept, since nothing is evicted; OBJECT ENCODING works',
  FREQ: 'An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
} as const;

/** Runs with the value of the third word; a key that is not there is null. */
function ofValue(reply: (value: Uint8Array, key: Buffer) => RespValue): (call: Call) => void {
  return (call) => {
    const key = call.args[2] as Buffer;
    withConsistency(call, (consistency) =>
      readValue(call, consistency, key, (value, failed) =>
        call.reply(failed ?? (value === undefined ? null : reply(value, key))),
      ),
    );
  };
}

function encodingOf(value: Uint8Array): string {
  if (value.length <= 20 && /^(0|-?[1-9]\d*)$/.test(Buffer.from(value).toString('latin1'))) {
    const number = BigInt(Buffer.from(value).toString('latin1'));
    if (BigInt.asIntN(64, number) === number) return 'int';
  }
  return value.length <= EMBEDDED_BYTES_MAX ? 'embstr' : 'raw';
}

/** `MEMORY USAGE key [SAMPLES n]`. */
function memoryUsage(call: Call): void {
  const [, , , word, count] = call.args;
  const isSamples = word?.toString('latin1', 0, 8).toUpperCase() === 'SAMPLES' && call.args.length === 5;
  if (word !== undefined && !(isSamples && /^\d+$/.test(String(count)))) return call.reply(SYNTAX_ERROR);
  ofValue((value, key) => key.length + value.length + RECORD_OVERHEAD_BYTES)(call);
}

const ok = (call: Call): void => call.reply(OK);
const CLUSTER_CLIENT = {
  arity: 1,
  flags: ['fast'],
  categories: ['connection'],
  group: 'cluster',
  since: '3.0.0',
} as const;
const READS_KEY = {
  arity: 3,
  flags: ['readonly'],
  firstKey: 2,
  lastKey: 2,
  keyStep: 1,
  keyFlags: ['RO'],
  group: 'generic',
  complexity: 'O(1)',
  arguments: [{ name: 'key', type: 'key' }],
} as const;

const OBJECT: readonly CommandRow[] = [
  {
    name: 'encoding',
    ...READS_KEY,
    since: '2.2.3',
    summary: 'How Redis would keep the value of the key',
    handler: ofValue(encodingOf),
  },
  {
    name: 'freq',
    ...READS_KEY,
    since: '4.0.0',
    summary: 'Refused: no access frequency is kept',
    handler: ofValue(() => failure(`ERR ${NO_POLICY.FREQ}`)),
  },
  {
    name: 'idletime',
    ...READS_KEY,
    since: '2.2.3',
    summary: 'Refused: no access time is kept',
    handler: ofValue(() => failure(`ERR kvd: OBJECT IDLETIME is not available: ${NO_POLICY.IDLETIME}`)),
  },
  {
    name: 'refcount',
    ...READS_KEY,
    since: '2.2.3',
    summary: 'Always 1: values are not shared',
    handler: ofValue(() => 1),
  },
];

const MEMORY: readonly CommandRow[] = [
  {
    name: 'usage',
    ...READS_KEY,
    arity: -3,
    since: '4.0.0',
    summary: 'About how many bytes one replica of the key takes, before compression',
    arguments: [
      { name: 'key', type: 'key' },
      { name: 'count', type: 'integer', token: 'SAMPLES', optional: true },
    ],
    handler: memoryUsage,
  },
];

const ACL: readonly CommandRow[] = [
  {
    name: 'list',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    group: 'server',
    since: '6.0.0',
    summary: 'The one user, who may do everything',
    complexity: 'O(1)',
    handler: (call) =>
      call.reply([`user default on ${call.services.access.needsPassword ? '' : 'nopass '}~* &* +@all`]),
  },
  {
    name: 'users',
    arity: 2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    group: 'server',
    since: '6.0.0',
    summary: 'The one user',
    complexity: 'O(1)',
    handler: (call) => call.reply(['default']),
  },
  {
    name: 'whoami',
    arity: 2,
    flags: ['noscript', 'loading', 'stale'],
    group: 'server',
    since: '6.0.0',
    summary: 'Return the name of the user associated to the current connection',
    complexity: 'O(1)',
    handler: (call) => call.reply('default'),
  },
];

const MODULE: readonly CommandRow[] = [
  {
    name: 'list',
    arity: 2,
    flags: ['admin', 'noscript'],
    group: 'server',
    since: '4.0.0',
    summary: 'List all modules loaded by the server: none',
    complexity: 'O(1)',
    handler: (call) => call.reply([]),
  },
];

function container(name: string, group: CommandRow['group'], since: string, rows: readonly CommandRow[]): CommandRow {
  const summary = `A container for ${name} commands`;
  const subcommands = [...rows, helpRow(name, rows)];
  return { name, arity: -2, flags: [], group, since, summary, complexity: 'Depends on subcommand.', subcommands };
}

export const SERVER_ROWS: readonly CommandRow[] = [
  container('object', 'generic', '2.2.3', OBJECT),
  container('memory', 'server', '4.0.0', MEMORY),
  container('acl', 'server', '6.0.0', ACL),
  container('module', 'server', '4.0.0', MODULE),
  {
    name: 'asking',
    ...CLUSTER_CLIENT,
    summary: 'Sent by cluster clients after an -ASK redirect, of which there are none',
    complexity: 'O(1)',
    handler: ok,
  },
  {
    name: 'readonly',
    ...CLUSTER_CLIENT,
    flags: ['loading', 'stale', 'fast'],
    summary: 'Every node answers reads as it is, by the consistency asked for',
    complexity: 'O(1)',
    handler: ok,
  },
  {
    name: 'readwrite',
    ...CLUSTER_CLIENT,
    flags: ['loading', 'stale', 'fast'],
    summary: 'Every node takes reads and writes as it is',
    complexity: 'O(1)',
    handler: ok,
  },
  {
    name: 'role',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    group: 'server',
    since: '2.8.12',
    summary: 'Every node takes writes: a master without replicas of its own',
    complexity: 'O(1)',
    handler: (call) => call.reply(['master', 0, []]),
  },
  {
    name: 'lastsave',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    tips: ['nondeterministic_output'],
    group: 'server',
    since: '1.0.0',
    summary: 'The time now: a write is on disk when it is answered',
    complexity: 'O(1)',
    handler: (call) => call.reply(Math.floor(call.services.hybridNowMs() / 1000)),
  },
];
