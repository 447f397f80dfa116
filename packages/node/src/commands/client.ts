/** CLIENT: what a connection is called, and who else is there. */
import { failure, mapOf, OK, type RespValue, setOf, verbatim } from '../resp/value.ts';
import { readDecimal } from '../resp/decimal.ts';
import type { Session } from '../session.ts';
import type { Call, CommandRow } from './command-row.ts';
import { readClientName } from './connection.ts';
import { helpRow } from './help.ts';
import { NOT_AN_INTEGER, SYNTAX_ERROR } from './reply-errors.ts';

const TYPES = new Set(['normal', 'master', 'replica', 'slave', 'pubsub']);

function setName(call: Call): void {
  const name = readClientName(call.args[2] as Buffer);
  if (name === undefined) {
    return call.reply(failure('ERR Client names cannot contain spaces, newlines or special characters.'));
  }
  call.session.name = name;
  call.reply(OK);
}

function setInfo(call: Call): void {
  const { args, session } = call;
  const option = (args[2] as Buffer).toString('latin1', 0, 128);
  const name = option.toLowerCase();
  if (name !== 'lib-name' && name !== 'lib-ver') return call.reply(failure(`ERR Unrecognized option '${option}'`));
  const value = readClientName(args[3] as Buffer);
  if (value === undefined) {
    return call.reply(failure(`ERR ${name} cannot contain spaces, newlines or special characters.`));
  }
  if (name === 'lib-name') session.libraryName = value;
  else session.libraryVersion = value;
  call.reply(OK);
}

/** `CLIENT LIST [TYPE type | ID id …]`. */
function list(call: Call): void {
  const { args, session } = call;
  if (args.length === 2) return call.reply(verbatim(lines(call, session.clients.sessions())));
  const option = (args[2] as Buffer).toString('latin1', 0, 8).toUpperCase();
  if (option === 'TYPE' && args.length === 4) return listType(call, (args[3] as Buffer).toString('latin1', 0, 128));
  if (option === 'ID' && args.length > 3) return listIds(call);
  call.reply(SYNTAX_ERROR);
}

function listType(call: Call, type: string): void {
  if (!TYPES.has(type.toLowerCase())) return call.reply(failure(`ERR Unknown client type '${type}'`));
  const shown = type.toLowerCase() === 'normal' ? call.session.clients.sessions() : [];
  call.reply(verbatim(lines(call, shown)));
}

function listIds(call: Call): void {
  const ids = call.args.slice(3).map((word) => readDecimal(word));
  if (ids.some((id) => !(id > 0))) return call.reply(failure('ERR Invalid client ID'));
  const found = ids.map((id) => call.session.clients.get(id)).filter((session) => session !== undefined);
  call.reply(verbatim(lines(call, found)));
}

function lines(call: Call, sessions: Iterable<Session>): string {
  let text = '';
  for (const session of sessions) text += describe(call, session);
  return text;
}

/** `CLIENT KILL address`, or filters that must all fit: how many were ended. */
function kill(call: Call): void {
  const { args, session } = call;
  if (args.length === 3) return killByAddress(call, String(args[2]));
  if (args.length % 2 !== 0) return call.reply(SYNTAX_ERROR);
  const filters: ((other: Session) => boolean)[] = [];
  let spareMe = true;
  for (let i = 2; i < args.length; i += 2) {
    const name = (args[i] as Buffer).toString('latin1', 0, 16).toUpperCase();
    const value = String(args[i + 1]);
    if (name === 'SKIPME' && /^(yes|no)$/i.test(value)) {
      spareMe = /^yes$/i.test(value);
      continue;
    }
    const filter = filterOf(call, name, value);
    if (typeof filter !== 'function') return call.reply(filter.refusal);
    filters.push(filter);
  }
  const victims = [...session.clients.sessions()].filter((other) => filters.every((fits) => fits(other)));
  call.reply(
    end(
      call,
      victims.filter((other) => !spareMe || other !== session),
    ),
  );
}

type Filter = ((other: Session) => boolean) | { readonly refusal: RespValue };

function filterOf({ services }: Call, name: string, value: string): Filter {
  switch (name) {
    case 'ID': {
      const id = readDecimal(Buffer.from(value));
      return id > 0 ? (other) => other.id === id : { refusal: failure('ERR client-id should be greater than 0') };
    }
    case 'TYPE':
      if (!TYPES.has(value.toLowerCase())) return { refusal: failure(`ERR Unknown client type '${value}'`) };
      return () => value.toLowerCase() === 'normal';
    case 'ADDR':
      return (other) => other.address === value;
    case 'LADDR':
      return () => `${services.config.host}:${services.config.port}` === value;
    case 'USER':
      return value === 'default' ? () => true : { refusal: failure(`ERR No such user '${value}'`) };
    default:
      return { refusal: SYNTAX_ERROR };
  }
}

function killByAddress(call: Call, address: string): void {
  const victims = [...call.session.clients.sessions()].filter((other) => other.address === address);
  if (victims.length === 0) return call.reply(failure('ERR No such client'));
  end(call, victims);
  call.reply(OK);
}

/** This connection last, and only once it has its answer. */
function end(call: Call, victims: readonly Session[]): number {
  for (const victim of victims) {
    if (victim === call.session) victim.closing = true;
    else victim.kill();
  }
  return victims.length;
}

function reply(call: Call): void {
  const word = (call.args[2] as Buffer).toString('latin1', 0, 8).toLowerCase();
  if (word !== 'on' && word !== 'off' && word !== 'skip') return call.reply(SYNTAX_ERROR);
  // SKIP within OFF changes nothing, as in Redis.
  if (word !== 'skip' || call.session.replies !== 'off') call.session.replies = word;
  call.reply(OK);
}

/** No command of kvd blocks, so nobody is ever unblocked. */
function unblock(call: Call): void {
  const [, , id, how] = call.args as readonly [Buffer, Buffer, Buffer, Buffer?];
  const word = how?.toString('latin1', 0, 8).toUpperCase();
  if (call.args.length > 4 || (word !== undefined && word !== 'TIMEOUT' && word !== 'ERROR')) {
    return call.reply(failure('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR'));
  }
  call.reply(Number.isSafeInteger(readDecimal(id)) ? 0 : NOT_AN_INTEGER);
}

const NO_TRACKING = mapOf([
  ['flags', setOf(['off'])],
  ['redirect', -1],
  ['prefixes', []],
]);

/** One line, with the fields and the order of Redis 7.4; what kvd does not have is 0. */
function describe(call: Call, session: Session): string {
  const { clock } = call.services.runtime;
  const { host, port } = call.services.config;
  const seconds = (sinceMs: number): number => Math.floor((clock.monotonicMs() - sinceMs) / 1000);
  const fields = [
    `id=${session.id}`,
    `addr=${session.address}`,
    `laddr=${host}:${port}`,
    'fd=0',
    `name=${session.name}`,
    `age=${seconds(session.createdMs)}`,
    `idle=${seconds(session.lastActiveMs)}`,
    `flags=${session.noEvict ? 'e' : ''}${session.noTouch ? 'T' : ''}${session.noEvict || session.noTouch ? '' : 'N'}`,
    'db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0',
    'rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r',
    `cmd=${session.lastCommand}`,
    'user=default redir=-1',
    `resp=${session.protocol}`,
    `lib-name=${session.libraryName}`,
    `lib-ver=${session.libraryVersion}`,
  ];
  return `${fields.join(' ')}\n`;
}

/** A switch that is on or off; kvd evicts no clients and keeps no access times, so it only remembers it. */
function toggle(set: (session: Session, on: boolean) => void): (call: Call) => void {
  return (call) => {
    const word = (call.args[2] as Buffer).toString('latin1', 0, 8).toLowerCase();
    if (word !== 'on' && word !== 'off') return call.reply(SYNTAX_ERROR);
    set(call.session, word === 'on');
    call.reply(OK);
  };
}

const CONNECTION = { group: 'connection', flags: ['noscript', 'loading', 'stale'], complexity: 'O(1)' } as const;
const ENABLED = {
  name: 'enabled',
  type: 'oneof',
  arguments: [
    { name: 'on', type: 'pure-token', token: 'ON' },
    { name: 'off', type: 'pure-token', token: 'OFF' },
  ],
} as const;

const SUBCOMMANDS: readonly CommandRow[] = [
  {
    name: 'id',
    arity: 2,
    ...CONNECTION,
    since: '5.0.0',
    summary: 'Returns the client ID for the current connection',
    handler: (call) => call.reply(call.session.id),
  },
  {
    name: 'setname',
    arity: 3,
    ...CONNECTION,
    since: '2.6.9',
    summary: 'Set the current connection name',
    arguments: [{ name: 'connection-name', type: 'string' }],
    handler: setName,
  },
  {
    name: 'getname',
    arity: 2,
    ...CONNECTION,
    since: '2.6.9',
    summary: 'Get the current connection name',
    handler: (call) => call.reply(call.session.name === '' ? null : call.session.name),
  },
  {
    name: 'setinfo',
    arity: 4,
    ...CONNECTION,
    since: '7.2.0',
    summary: 'Set client or connection specific info',
    arguments: [
      {
        name: 'attr',
        type: 'oneof',
        arguments: [
          { name: 'libname', type: 'string', token: 'LIB-NAME' },
          { name: 'libver', type: 'string', token: 'LIB-VER' },
        ],
      },
    ],
    handler: setInfo,
  },
  {
    name: 'info',
    arity: 2,
    ...CONNECTION,
    tips: ['nondeterministic_output'],
    since: '6.2.0',
    summary: 'Returns information about the current client connection.',
    handler: (call) => call.reply(verbatim(describe(call, call.session))),
  },
  {
    name: 'list',
    arity: -2,
    ...CONNECTION,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    complexity: 'O(N) where N is the number of client connections',
    tips: ['nondeterministic_output'],
    since: '2.4.0',
    summary: 'Get the list of client connections',
    arguments: [
      { name: 'client-type', type: 'string', token: 'TYPE', optional: true, since: '5.0.0' },
      { name: 'client-id', type: 'integer', token: 'ID', optional: true, multiple: true, since: '6.2.0' },
    ],
    handler: list,
  },
  {
    name: 'kill',
    arity: -3,
    ...CONNECTION,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    complexity: 'O(N) where N is the number of client connections',
    since: '2.4.0',
    summary: 'Kill the connection of a client',
    arguments: [
      { name: 'ip:port', type: 'string', optional: true },
      { name: 'client-id', type: 'integer', token: 'ID', optional: true, since: '2.8.12' },
      { name: 'client-type', type: 'string', token: 'TYPE', optional: true, since: '2.8.12' },
      { name: 'username', type: 'string', token: 'USER', optional: true },
      { name: 'addr', type: 'string', token: 'ADDR', optional: true },
      { name: 'laddr', type: 'string', token: 'LADDR', optional: true, since: '6.2.0' },
      { name: 'skipme', type: 'string', token: 'SKIPME', optional: true },
    ],
    handler: kill,
  },
  {
    name: 'reply',
    arity: 3,
    ...CONNECTION,
    since: '3.2.0',
    summary: 'Instruct the server whether to reply to commands',
    arguments: [
      {
        name: 'on_off_skip',
        type: 'oneof',
        arguments: [
          { name: 'on', type: 'pure-token', token: 'ON' },
          { name: 'off', type: 'pure-token', token: 'OFF' },
          { name: 'skip', type: 'pure-token', token: 'SKIP' },
        ],
      },
    ],
    handler: reply,
  },
  {
    name: 'unblock',
    arity: -3,
    ...CONNECTION,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    since: '5.0.0',
    summary: 'Always 0: no command blocks its client',
    arguments: [
      { name: 'client-id', type: 'string' },
      { name: 'timeout_error', type: 'string', optional: true },
    ],
    handler: unblock,
  },
  {
    name: 'getredir',
    arity: 2,
    ...CONNECTION,
    since: '6.0.0',
    summary: 'Always -1: there is no tracking',
    handler: (call) => call.reply(-1),
  },
  {
    name: 'trackinginfo',
    arity: 2,
    ...CONNECTION,
    since: '6.2.0',
    summary: 'That tracking is off: there is none',
    handler: (call) => call.reply(NO_TRACKING),
  },
  {
    name: 'no-evict',
    arity: 3,
    ...CONNECTION,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    since: '7.0.0',
    summary: 'Set client eviction mode for the current connection',
    arguments: [ENABLED],
    handler: toggle((session, on) => {
      session.noEvict = on;
    }),
  },
  {
    name: 'no-touch',
    arity: 3,
    ...CONNECTION,
    since: '7.2.0',
    summary: 'Controls whether commands sent by the client affect the LRU/LFU of accessed keys',
    arguments: [ENABLED],
    handler: toggle((session, on) => {
      session.noTouch = on;
    }),
  },
];

export const CLIENT_ROWS: readonly CommandRow[] = [
  {
    name: 'client',
    arity: -2,
    flags: [],
    group: 'connection',
    since: '2.4.0',
    summary: 'A container for client connection commands',
    complexity: 'Depends on subcommand.',
    subcommands: [...SUBCOMMANDS, helpRow('client', SUBCOMMANDS)],
  },
];
