/** KVD.WITH KVD.LOCAL KVD.MEMBERS KVD.LOCATE KVD.STATS: what Redis has no words for. */
import { preferenceList, slotOf } from '@kvd/ring';
import { failure, type RespValue } from '../resp/value.ts';
import { type Call, type CommandRow, keysOf } from './command-row.ts';
import { isPrefix, NUMBERS, readOptions } from './consistency-options.ts';
import { resolve, run } from './dispatch.ts';
import { notAvailable, wrongArity } from './reply-errors.ts';

function notRepeatable(name: string): RespValue {
  const why = 'only INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT take effect once under an id; leave REQUEST out';
  return notAvailable(`${name.toUpperCase().replace('|', ' ')} behind KVD.WITH REQUEST`, why);
}

function runWith(call: Call): void {
  const prefix = readOptions(call.args);
  if (!isPrefix(prefix)) return call.reply(prefix);
  const args = call.args.slice(prefix.commandAt);
  if (args.length === 0) return call.reply(wrongArity('kvd.with'));
  const resolved = resolve(args);
  if (resolved.row?.outermost || resolved.row?.group === 'connection') {
    return call.reply(notAllowedBehind('KVD.WITH', resolved.name));
  }
  if (prefix.requestToken !== undefined && resolved.row?.repeatable !== true && resolved.row !== undefined) {
    return call.reply(notRepeatable(resolved.name));
  }
  run(resolved, {
    services: call.services,
    session: call.session,
    args,
    overrides: prefix.overrides,
    requestToken: prefix.requestToken,
    local: false,
    reply: call.reply,
  });
}

/** The keys of the command behind the options: they order it among the commands of its connection. */
function keysBehindOptions(args: readonly Buffer[]): readonly Buffer[] {
  const prefix = readOptions(args);
  return isPrefix(prefix) ? keysFrom(args, prefix.commandAt) : [];
}

export function keysFrom(args: readonly Buffer[], at: number): readonly Buffer[] {
  const words = args.slice(at);
  if (words.length === 0) return [];
  const { row } = resolve(words);
  return row === undefined || row.outermost ? [] : keysOf(row, words);
}

function runLocal(call: Call): void {
  const args = call.args.slice(1);
  const resolved = resolve(args);
  if (resolved.row !== undefined && !resolved.row.local) {
    return call.reply(notAllowedBehind('KVD.LOCAL', resolved.name));
  }
  const { services, session, reply } = call;
  run(resolved, { services, session, args, overrides: undefined, local: true, reply });
}

export function notAllowedBehind(prefix: string, name: string): RespValue {
  const why =
    prefix === 'KVD.LOCAL'
      ? 'it runs commands that only read keys: GET, MGET, EXISTS, KVD.GET and their like'
      : 'it runs commands on keys, and no other KVD.WITH';
  return notAvailable(`${name.toUpperCase().replace('|', ' ')} behind ${prefix}`, why);
}

function members(call: Call): void {
  const { services } = call;
  const self = services.config.id;
  const list = services.members().map((member) => ({
    id: member.id,
    host: member.host,
    port: member.port,
    peerPort: member.peerPort,
    incarnation: member.incarnation,
    state: member.state,
    suspectedBy: member.suspectedBy,
    // Nothing has been heard of it yet.
    health: member.health === '' ? 'UNKNOWN' : member.health,
    reachable: member.id === self || services.reachable(member.id),
    self: member.id === self,
  }));
  call.reply(JSON.stringify(list));
}

function locate(call: Call): void {
  const { services, session } = call;
  const key = call.args[1] as Buffer;
  const consistency = session.consistency(services);
  if (typeof consistency === 'string') return call.reply(failure(`ERR ${consistency}`));
  const slot = slotOf(key);
  const { owners, fallbacks } = preferenceList(services.ring(), slot, consistency.n);
  const isReachable = (id: string): boolean => id === services.config.id || services.reachable(id);
  const location = {
    key: key.toString('utf8'),
    slot,
    primary: owners[0],
    row: owners,
    fallbacks,
    firstReachable: [...owners, ...fallbacks].find(isReachable) ?? null,
  };
  call.reply(JSON.stringify(location));
}

function stats(call: Call): void {
  const { connectionsReceived, connectionsRefused, commandsProcessed, errorReplies, size } = call.session.clients;
  const clients = { connected: size, connectionsReceived, connectionsRefused, commandsProcessed, errorReplies };
  call.reply(JSON.stringify({ ...call.services.stats(), clients }));
}

const COMMAND = [
  { name: 'command', type: 'string' },
  { name: 'arg', type: 'string', optional: true, multiple: true },
] as const;
const option = (token: keyof typeof NUMBERS) =>
  ({ name: NUMBERS[token].toLowerCase(), type: 'integer', token, optional: true }) as const;

export const KVD_ROWS: readonly CommandRow[] = [
  {
    name: 'kvd.with',
    arity: -2,
    flags: ['movablekeys'],
    findKeys: keysBehindOptions,
    group: 'kvd',
    since: '0.1.0',
    summary: 'Run one command with its own consistency',
    complexity: 'That of the command.',
    arguments: [
      ...(['N', 'R', 'W', 'PR', 'PW', 'DW', 'TIMEOUT'] as const).map(option),
      { name: 'id', type: 'string', token: 'REQUEST', optional: true },
      {
        name: 'mode',
        type: 'oneof',
        optional: true,
        arguments: [
          { name: 'strict', type: 'pure-token', token: 'STRICT' },
          { name: 'sloppy', type: 'pure-token', token: 'SLOPPY' },
        ],
      },
      ...COMMAND,
    ],
    outermost: true,
    handler: runWith,
  },
  {
    name: 'kvd.local',
    arity: -2,
    flags: ['readonly', 'movablekeys'],
    findKeys: (args) => keysFrom(args, 1),
    group: 'kvd',
    since: '0.1.0',
    summary: "Run a command that only reads keys on this node's own store alone: no peer, no repair",
    complexity: 'That of the command.',
    arguments: COMMAND,
    outermost: true,
    handler: runLocal,
  },
  {
    name: 'kvd.members',
    arity: 1,
    flags: ['loading', 'stale'],
    group: 'kvd',
    since: '0.1.0',
    summary: 'The members as this node sees them, as JSON',
    complexity: 'O(N) where N is the number of members',
    handler: members,
  },
  {
    name: 'kvd.locate',
    arity: 2,
    flags: ['loading', 'stale'],
    group: 'kvd',
    since: '0.1.0',
    summary: 'Where a key lives, as JSON: slot, owners, fallbacks, and who of them can be reached first',
    complexity: 'O(N) where N is the number of members',
    arguments: [{ name: 'key', type: 'string' }],
    handler: locate,
  },
  {
    name: 'kvd.stats',
    arity: 1,
    flags: ['loading', 'stale'],
    group: 'kvd',
    since: '0.1.0',
    summary: 'What this node counts, as JSON',
    complexity: 'O(1)',
    handler: stats,
  },
];
