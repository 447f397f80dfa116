/**
 * CONFIG. Clients and tools of Redis read a few settings of it, and are told what is true of kvd under the same names; kvd's own
 * settings stand under theirs. What CONFIG SET changes holds until the node ends, and for this node alone.
 */
import { PASSWORD_CHARACTERS_MAX } from '../config.ts';
import { failure, mapOf, OK, type RespValue } from '../resp/value.ts';
import { BULK_BYTES_MAX, CONNECTIONS_MAX } from '../limits.ts';
import { readDecimal } from '../resp/decimal.ts';
import { LIVE_SETTINGS, type LiveSettings } from '../live-settings.ts';
import type { NodeServices } from '../services.ts';
import type { Call, CommandRow } from './command-row.ts';
import { globMatches } from './glob.ts';
import { helpRow } from './help.ts';
import { notAvailable, wrongArity } from './reply-errors.ts';

const NOT_WHILE_RUNNING =
  'settings are flags of kvd start, KVD_* variables or the config file, and are read when it starts';

const NAME_CHARACTERS_SHOWN = 128;
const PASSWORD_TOO_LONG = failure(`ERR kvd: requirepass has at most ${PASSWORD_CHARACTERS_MAX} bytes`);

/** Names of Redis with what kvd does, then those of kvd. */
function settings({ config, access }: NodeServices, live: LiveSettings): ReadonlyMap<string, string> {
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
    ['proto-max-bulk-len', String(BULK_BYTES_MAX)],
    ['notify-keyspace-events', ''],
    ['requirepass', access.password],
    ['protected-mode', config.unsafeNoAuth ? 'no' : 'yes'],
    ['cluster-enabled', 'no'],
    ['dir', config.dataDirectory],
    ['loglevel', config.logLevel],
    ['kvd-id', config.id],
    ['kvd-peer-port', String(config.peerPort)],
    ['kvd-max-value-bytes', String(config.maxValueBytes)],
    ['kvd-gossip-interval-ms', String(config.gossipIntervalMs)],
    ['kvd-anti-entropy-interval-ms', String(config.antiEntropyIntervalMs)],
    ...[...LIVE_SETTINGS].map(([name, { field }]): [string, string] => [name, String(live[field])]),
    ...(consistency as [string, string][]),
  ]);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function get(call: Call): void {
  const patterns = call.args.slice(2).map((word) => word.toString('latin1').toLowerCase());
  const entries = [...settings(call.services, call.session.clients.settings)].filter(([name]) =>
    patterns.some((pattern) => globMatches(pattern, name)),
  );
  call.reply(mapOf(entries));
}

/** Nothing is set when one of several cannot be. */
function set(call: Call): void {
  const { args, session } = call;
  if (args.length % 2 !== 0) return call.reply(wrongArity('config|set'));
  const changes: (() => void)[] = [];
  for (let i = 2; i < args.length; i += 2) {
    const name = (args[i] as Buffer).toString('latin1', 0, NAME_CHARACTERS_SHOWN).toLowerCase();
    const change = changeOf(call, name, args[i + 1] as Buffer);
    if (typeof change !== 'function') return call.reply(change.refusal);
    changes.push(change);
  }
  for (const change of changes) change();
  const names = args.filter((_, i) => i >= 2 && i % 2 === 0).map(String);
  call.services.runtime.log('info', 'settings-changed', { client: session.address, names: names.join(' ') });
  call.reply(OK);
}

type Change = (() => void) | { readonly refusal: RespValue };

function changeOf(call: Call, name: string, value: Buffer): Change {
  const { services, session } = call;
  if (name === 'requirepass') return passwordChange(call, value);
  const { settings: live } = session.clients;
  const setting = LIVE_SETTINGS.get(name);
  if (setting === undefined) return { refusal: cannotSet(services, live, name) };
  const number = readDecimal(value);
  if (!Number.isSafeInteger(number)) return { refusal: badValue(name, "argument couldn't be parsed into an integer") };
  const { field, least, most } = setting;
  if (number < least || number > most) {
    return { refusal: badValue(name, `argument must be between ${least} and ${most} inclusive`) };
  }
  return () => {
    live[field] = number;
  };
}

/** For connections made from then on; '' takes the password away. */
function passwordChange({ services, session }: Call, password: Buffer): Change {
  if (password.length > PASSWORD_CHARACTERS_MAX) return { refusal: PASSWORD_TOO_LONG };
  return () => {
    services.access.setPassword(password.toString('utf8'));
    const fields = { client: session.address, isSet: services.access.needsPassword };
    services.runtime.log('warn', 'password-changed', fields);
  };
}

function badValue(name: string, why: string): RespValue {
  return failure(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`);
}

function cannotSet(services: NodeServices, live: LiveSettings, name: string): RespValue {
  if (!settings(services, live).has(name)) {
    return failure(`ERR Unknown option or number of arguments for CONFIG SET - '${name}'`);
  }
  return notAvailable(`CONFIG SET ${name}`, NOT_WHILE_RUNNING);
}

function resetStat(call: Call): void {
  call.session.clients.resetCounters();
  call.reply(OK);
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
    summary: 'Sets requirepass, kvd-keys-max, slowlog-… or latency-monitor-threshold of this node until it ends',
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
    handler: set,
  },
  {
    name: 'resetstat',
    arity: 2,
    ...ADMIN,
    since: '2.0.0',
    summary: 'Reset the counts of clients, bytes, errors and commands of this node',
    complexity: 'O(1)',
    handler: resetStat,
  },
  {
    name: 'rewrite',
    arity: 2,
    ...ADMIN,
    since: '2.8.0',
    summary: 'Refused: what CONFIG SET has set is not kept',
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
