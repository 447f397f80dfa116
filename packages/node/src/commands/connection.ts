/** PING ECHO HELLO AUTH SELECT QUIT RESET. */
import { failure, mapOf, OK, type RespValue, simple } from '../resp/value.ts';
import { readInt64 } from '../resp/decimal.ts';
import type { Call, CommandRow } from './command-row.ts';
import { NOT_AN_INTEGER, SYNTAX_ERROR, wrongArity } from './reply-errors.ts';
import { REDIS_VERSION } from './version.ts';

const PONG = simple('PONG');
const WRONG_PASSWORD = failure('WRONGPASS invalid username-password pair or user is disabled.');
const NO_PASSWORD_IS_SET = failure(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);
const HELLO_WITHOUT_AUTH = failure(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);
const DB_OUT_OF_INT = failure('ERR value is out of range, value must between -2147483648 and 2147483647');
const DEFAULT_USER = Buffer.from('default');
const NAME_CHARACTERS = failure('ERR Client names cannot contain spaces, newlines or special characters.');

function ping(call: Call): void {
  if (call.args.length > 2) return call.reply(wrongArity('ping'));
  call.reply(call.args[1] ?? PONG);
}

function echo(call: Call): void {
  call.reply(call.args[1] as Buffer);
}

function quit(call: Call): void {
  call.session.closing = true;
  call.reply(OK);
}

function reset(call: Call): void {
  call.session.reset();
  call.session.authenticated = !call.services.access.needsPassword;
  call.reply(simple('RESET'));
}

function select(call: Call): void {
  const index = readInt64(call.args[1] as Buffer);
  if (index === undefined) return call.reply(NOT_AN_INTEGER);
  if (index !== BigInt.asIntN(32, index)) return call.reply(DB_OUT_OF_INT);
  call.reply(index === 0n ? OK : failure('ERR DB index is out of range'));
}

/** `AUTH [user] password`. Without a password any is right for the default user, as in Redis. */
function auth(call: Call): void {
  const { args } = call;
  if (args.length > 3) return call.reply(SYNTAX_ERROR);
  if (args.length === 2 && !call.services.access.needsPassword) return call.reply(NO_PASSWORD_IS_SET);
  const user = args.length === 3 ? (args[1] as Buffer) : DEFAULT_USER;
  if (!isRight(call, user, args.at(-1) as Buffer)) return call.reply(WRONG_PASSWORD);
  call.session.authenticated = true;
  call.reply(OK);
}

/** The password is compared whoever the user is, so that the time taken does not tell which users there are. */
function isRight(call: Call, user: Buffer, password: Buffer): boolean {
  const { services, session } = call;
  const isPassword = services.access.isRight(password);
  if (isPassword && user.equals(DEFAULT_USER)) return true;
  // One line for each connection: who guesses must not fill the log as well.
  if (!session.hasFailedAuth) services.runtime.log('warn', 'client-auth-failed', { client: session.address });
  session.hasFailedAuth = true;
  session.clients.authFailures++;
  return false;
}

/** `HELLO [protocol [AUTH user password] [SETNAME name]]`: nothing is changed unless all of it is right. */
function hello(call: Call): void {
  const { args, session } = call;
  const protocol = args.length > 1 ? readInt64(args[1] as Buffer) : BigInt(session.protocol);
  if (protocol === undefined) {
    return call.reply(failure('ERR Protocol version is not an integer or out of range'));
  }
  if (protocol !== 2n && protocol !== 3n) return call.reply(failure('NOPROTO unsupported protocol version'));
  let name: string | undefined;
  let { authenticated } = session;
  for (let i = 2; i < args.length; i++) {
    const option = (args[i] as Buffer).toString('latin1', 0, 16).toUpperCase();
    if (option === 'AUTH' && i + 2 < args.length) {
      if (!isRight(call, args[i + 1] as Buffer, args[i + 2] as Buffer)) return call.reply(WRONG_PASSWORD);
      authenticated = true;
      i += 2;
    } else if (option === 'SETNAME' && i + 1 < args.length) {
      name = readClientName(args[++i] as Buffer);
      if (name === undefined) return call.reply(NAME_CHARACTERS);
    } else {
      return call.reply(failure(`ERR Syntax error in HELLO option '${(args[i] as Buffer).toString('utf8', 0, 128)}'`));
    }
  }
  if (!authenticated) return call.reply(HELLO_WITHOUT_AUTH);
  session.authenticated = true;
  session.protocol = protocol === 3n ? 3 : 2;
  if (name !== undefined) session.name = name;
  call.reply(describeServer(call));
}

function describeServer({ session }: Call): RespValue {
  return mapOf([
    ['server', 'redis'],
    ['version', REDIS_VERSION],
    ['proto', session.protocol],
    ['id', session.id],
    ['mode', 'standalone'],
    ['role', 'master'],
    ['modules', []],
  ]);
}

/** A name that fits into a line of CLIENT LIST; `undefined` if it does not. */
export function readClientName(name: Buffer): string | undefined {
  return name.every((byte) => byte >= 0x21 && byte <= 0x7e) ? name.toString('latin1') : undefined;
}

const EARLY = ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'] as const;

export const CONNECTION_ROWS: readonly CommandRow[] = [
  {
    name: 'ping',
    arity: -1,
    flags: ['fast'],
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    group: 'connection',
    since: '1.0.0',
    summary: 'Ping the server',
    complexity: 'O(1)',
    arguments: [{ name: 'message', type: 'string', optional: true }],
    handler: ping,
  },
  {
    name: 'echo',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    group: 'connection',
    since: '1.0.0',
    summary: 'Echo the given string',
    complexity: 'O(1)',
    arguments: [{ name: 'message', type: 'string' }],
    handler: echo,
  },
  {
    name: 'hello',
    arity: -1,
    flags: EARLY,
    group: 'connection',
    since: '6.0.0',
    summary: 'Handshake with the server',
    complexity: 'O(1)',
    arguments: [
      {
        name: 'arguments',
        type: 'block',
        optional: true,
        arguments: [
          { name: 'protover', type: 'integer' },
          {
            name: 'username_password',
            type: 'block',
            token: 'AUTH',
            optional: true,
            arguments: [
              { name: 'username', type: 'string' },
              { name: 'password', type: 'string' },
            ],
          },
          { name: 'clientname', type: 'string', token: 'SETNAME', optional: true },
        ],
      },
    ],
    handler: hello,
  },
  {
    name: 'auth',
    arity: -2,
    flags: EARLY,
    group: 'connection',
    since: '1.0.0',
    summary: 'Authenticate to the server',
    complexity: 'O(N) where N is the number of passwords defined for the user',
    arguments: [
      { name: 'username', type: 'string', optional: true, since: '6.0.0' },
      { name: 'password', type: 'string' },
    ],
    handler: auth,
  },
  {
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    group: 'connection',
    since: '1.0.0',
    summary: 'Change the selected database for the current connection',
    complexity: 'O(1)',
    arguments: [{ name: 'index', type: 'integer' }],
    outermost: true,
    handler: select,
  },
  {
    name: 'quit',
    arity: -1,
    flags: EARLY,
    group: 'connection',
    since: '1.0.0',
    summary: 'Close the connection',
    complexity: 'O(1)',
    outermost: true,
    handler: quit,
  },
  {
    name: 'reset',
    arity: 1,
    flags: EARLY,
    group: 'connection',
    since: '6.2.0',
    summary: 'Reset the connection',
    complexity: 'O(1)',
    outermost: true,
    handler: reset,
  },
];
