/**
 * CONFIG. Clients and tools of Redis read a few settings of it, and are told what is true of kvd under the same names; kvd's own
 * settings stand under theirs. Nothing is changed while a node runs.
 */
import { mapOf } from '../resp/value.ts';
import { CONNECTIONS_MAX } from '../limits.ts';
import type { NodeServices } from '../services.ts';
import type { Call, CommandRow } from './command-row.ts';
import { globMatches } from './glob.ts';
import { helpRow } from './help.ts';
import { notAvailable } from './reply-errors.ts';

const NOT_WHILE_RUNNING =
  'settings are flags of kvd start, KVD_* variables or the config file, and are read when it starts';

/** Names of Redis with what kvd does, then those of kvd. */
function settings({ config }: NodeServices): ReadonlyMap<string, string> {
  const consistency = Object.entries(config.consistency).map(([name, value]) => [`kvd-${kebab(name)}`, String(value)]);
  return new Map([
    ['save', ''],
    ['appendonly', 'yes'],
    ['appendfsync', 'always'],
    ['bind', config.host],
    ['port', String(config.port)],
    ['databases', '1'],
    ['maxmemory', '0'],
    ['maxmemory-policy', 'noeviction'],
    ['maxclients', String(CONNECTIONS_MAX)],
    ['timeout', '0'],
    ['proto-max-bulk-len', String(config.maxValueBytes)],
    ['notify-keyspace-events', ''],
    ['requirepass', ''],
    ['cluster-enabled', 'no'],
    ['dir', config.dataDirectory],
    ['loglevel', config.logLevel],
    ['kvd-id', config.id],
    ['kvd-peer-port', String(config.peerPort)],
    ['kvd-max-value-bytes', String(config.maxValueBytes)],
    ['kvd-gossip-interval-ms', String(config.gossipIntervalMs)],
    ['kvd-anti-entropy-interval-ms', String(config.antiEntropyIntervalMs)],
    ...(consistency as [string, string][]),
  ]);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function get(call: Call): void {
  const patterns = call.args.slice(2).map((word) => word.toString('latin1').toLowerCase());
  const entries = [...settings(call.services)].filter(([name]) =>
    patterns.some((pattern) => globMatches(pattern, name)),
  );
  call.reply(mapOf(entries));
}

function refuse(what: string): (call: Call) => void {
  const refusal = notAvailable(what, NOT_WHILE_RUNNING);
  return (call) => call.reply(refusal);
}

const ADMIN = { flags: ['admin', 'noscript', 'loading', 'stale'], group: 'server' } as const;

const SUBCOMMANDS: readonly CommandRow[] = [
  {
    name: 'get',
    arity: -3,
    ...ADMIN,
    since: '2.0.0',
    summary: 'Get the values of configuration parameters',
    complexity: 'O(N) when N is the number of configuration parameters provided',
    arguments: [{ name: 'parameter', type: 'pattern', multiple: true }],
    handler: get,
  },
  {
    name: 'set',
    arity: -4,
    ...ADMIN,
    since: '2.0.0',
    summary: 'Refused: no setting changes while a node runs',
    complexity: 'O(1)',
    arguments: [
      {
        name: 'parameter_value',
        type: 'block',
        multiple: true,
        arguments: [
          { name: 'parameter', type: 'string' },
          { name: 'value', type: 'string' },
        ],
      },
    ],
    handler: refuse('CONFIG SET'),
  },
  {
    name: 'rewrite',
    arity: 2,
    ...ADMIN,
    since: '2.8.0',
    summary: 'Refused: no setting changes while a node runs',
    complexity: 'O(1)',
    handler: refuse('CONFIG REWRITE'),
  },
];

export const CONFIG_ROWS: readonly CommandRow[] = [
  {
    name: 'config',
    arity: -2,
    flags: [],
    group: 'server',
    since: '2.0.0',
    summary: 'A container for server configuration commands',
    complexity: 'Depends on subcommand.',
    subcommands: [...SUBCOMMANDS, helpRow('config', SUBCOMMANDS)],
  },
];
