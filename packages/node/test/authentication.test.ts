/** What a client may do before it has given the password, over a network in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import { STRANGER_MS, STRANGERS_MAX } from '../src/limits.ts';
import type { Socket } from '../src/runtime.ts';
import { RespServer } from '../src/server.ts';
import { MemoryServices } from './fakes/memory-services.ts';
import { MemoryNetwork } from './fakes/memory-network.ts';

const PORT = 7379;
const NOAUTH = '-NOAUTH Authentication required.\r\n';
const WRONGPASS = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
let services: MemoryServices;
let network: MemoryNetwork;

class Client {
  received = '';
  isClosed = false;
  readonly socket: Socket;

  constructor(host = 'client') {
    this.socket = network.host(host).connect(
      { host: '127.0.0.1', port: PORT },
      {
        data: (chunk) => {
          this.received += chunk.toString('latin1');
        },
        closed: () => {
          this.isClosed = true;
        },
      },
    );
  }

  /** What is answered. */
  ask(text: string): string {
    this.received = '';
    this.socket.write(Buffer.from(text, 'latin1'));
    services.time.advance(300);
    return this.received;
  }
}

async function start(config: { requirepass?: string; unsafeNoAuth?: boolean }): Promise<void> {
  services = new MemoryServices({ config });
  network = new MemoryNetwork(services.time);
  Object.assign(services.runtime, { network: network.host('127.0.0.1') });
  const started = new RespServer(services).start();
  services.time.advance(1);
  await started;
}

beforeEach(() => start({ requirepass: 'sesame' }));

describe('AUTH', () => {
  test('opens the connection, with or without the name of the default user', () => {
    for (const words of ['sesame', 'default sesame']) {
      const client = new Client();
      expect(client.ask('GET k\r\n')).toBe(NOAUTH);
      expect(client.ask(`AUTH ${words}\r\n`)).toBe('+OK\r\n');
      expect(client.ask('ECHO k\r\n')).toBe('$1\r\nk\r\n');
    }
  });

  test('a wrong name or password is refused, logged once per connection and counted; it takes nothing away', () => {
    const client = new Client();
    expect(client.ask('AUTH wrong\r\nAUTH other sesame\r\nAUTH Default sesame\r\n')).toBe(WRONGPASS.repeat(3));
    expect(client.ask('PING\r\n')).toBe(NOAUTH);
    expect(client.ask('AUTH sesame\r\nAUTH wrong\r\nECHO k\r\n')).toBe(`+OK\r\n${WRONGPASS}$1\r\nk\r\n`);
    const logged = services.logged.filter(({ event }) => event === 'client-auth-failed');
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(services.logged)).not.toMatch(/wrong|sesame/);
  });

  test('before it, what is unknown or has too few words is told first, as in Redis', () => {
    const client = new Client();
    expect(client.ask('NOPE\r\n')).toMatch(/^-ERR unknown command 'NOPE'/);
    expect(client.ask('GET\r\n')).toBe("-ERR wrong number of arguments for 'get' command\r\n");
    expect(client.ask('CONFIG GET requirepass\r\n')).toBe(NOAUTH);
    expect(client.ask('KVD.WITH R 1 GET k\r\n')).toBe(NOAUTH);
    expect(client.ask('AUTH a b c\r\n')).toBe('-ERR syntax error\r\n');
    expect(client.ask('QUIT\r\n')).toBe('+OK\r\n');
  });

  test('RESET takes it back', () => {
    const client = new Client();
    expect(client.ask('AUTH sesame\r\nRESET\r\nGET k\r\n')).toBe(`+OK\r\n+RESET\r\n${NOAUTH}`);
  });

  test('without a password the short form says so', async () => {
    await start({});
    expect(new Client().ask('AUTH x\r\n')).toMatch(/^-ERR AUTH <password> called without any password configured/);
    expect(new Client().ask('AUTH default x\r\n')).toBe('+OK\r\n');
    expect(new Client().ask('AUTH other x\r\n')).toBe(WRONGPASS);
  });
});

describe('HELLO', () => {
  test('authenticates and chooses the protocol at once', () => {
    const client = new Client();
    expect(client.ask('HELLO 3\r\n')).toMatch(/^-NOAUTH HELLO must be called with the client already authenticated/);
    expect(client.ask('HELLO 3 AUTH default wrong\r\n')).toBe(WRONGPASS);
    expect(client.ask('HELLO 3 AUTH default sesame SETNAME a\r\n')).toMatch(/^%7\r\n/);
    expect(client.ask('CLIENT GETNAME\r\n')).toBe('$1\r\na\r\n');
  });

  test('a syntax error after the right password changes nothing', () => {
    const client = new Client();
    expect(client.ask('HELLO 3 AUTH default sesame NOPE\r\n')).toMatch(/^-ERR Syntax error in HELLO option 'NOPE'/);
    expect(client.ask('GET k\r\n')).toBe(NOAUTH);
  });
});

describe('before the password', () => {
  test('requests are small', () => {
    const refused = (text: string): string => {
      const client = new Client();
      const answer = client.ask(text);
      expect(client.isClosed).toBe(true);
      return answer;
    };
    expect(refused('*11\r\n')).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
    expect(refused('*2\r\n$16385\r\n')).toBe('-ERR Protocol error: unauthenticated bulk length\r\n');
    expect(refused(`PING ${'x'.repeat(1100)}`)).toBe('-ERR Protocol error: too big inline request\r\n');
    const bulk = `$16000\r\n${'x'.repeat(16_000)}\r\n`;
    expect(refused(`*9\r\n${bulk.repeat(4)}$16000\r\n`)).toMatch(
      /^-ERR Protocol error: the request exceeds 65536 bytes/,
    );
    expect(refused('*1048577\r\n')).toMatch(/invalid multibulk length/);
  });

  test('AUTH and a large request may come in one piece', () => {
    const value = 'x'.repeat(40_000);
    const client = new Client();
    expect(client.ask(`AUTH sesame\r\n*2\r\n$4\r\nECHO\r\n$40000\r\n${value}\r\n`)).toBe(
      `+OK\r\n$40000\r\n${value}\r\n`,
    );
  });

  test('a connection has ten seconds, and again after RESET', () => {
    const silent = new Client();
    const client = new Client();
    client.ask('AUTH sesame\r\n');
    services.time.advance(STRANGER_MS + 10);
    expect([silent.isClosed, client.isClosed]).toEqual([true, false]);
    client.ask('RESET\r\n');
    services.time.advance(STRANGER_MS + 10);
    expect(client.isClosed).toBe(true);
  });

  test('only so many connections are kept waiting; those with the password are not counted', () => {
    const strangers = Array.from({ length: STRANGERS_MAX }, () => new Client());
    for (const { socket } of strangers) socket.write(Buffer.from('PING\r\n'));
    services.time.advance(100);
    expect(strangers.every(({ received }) => received === NOAUTH)).toBe(true);
    const late = new Client();
    expect(late.ask('AUTH sesame\r\n')).toBe('-ERR max number of clients reached\r\n');
    strangers[0]?.ask('AUTH sesame\r\n');
    expect(new Client().ask('AUTH sesame\r\n')).toBe('+OK\r\n');
  });
});

describe('CONFIG SET requirepass', () => {
  test('holds for connections that are made from then on', async () => {
    await start({});
    const early = new Client();
    expect(early.ask('PING\r\n')).toBe('+PONG\r\n');
    expect(early.ask('CONFIG SET requirepass later\r\n')).toBe('+OK\r\n');
    expect(early.ask('CONFIG GET requirepass\r\n')).toBe('*2\r\n$11\r\nrequirepass\r\n$5\r\nlater\r\n');
    expect(early.ask('PING\r\n')).toBe('+PONG\r\n');
    expect(new Client().ask('PING\r\n')).toBe(NOAUTH);
    expect(JSON.stringify(services.logged)).not.toContain('later');
  });

  test('nothing else can be set, and then the password is not either', () => {
    const client = new Client();
    client.ask('AUTH sesame\r\n');
    expect(client.ask('CONFIG SET requirepass x port 1\r\n')).toMatch(/^-ERR kvd: CONFIG SET port is not available/);
    expect(client.ask('CONFIG SET requirepass x nope 1\r\n')).toMatch(/^-ERR Unknown option .* 'nope'/);
    expect(client.ask('CONFIG SET requirepass\r\n')).toMatch(/wrong number of arguments for 'config\|set'/);
    expect(new Client().ask('AUTH sesame\r\n')).toBe('+OK\r\n');
  });

  test('a node whose password is taken away is in protected mode', async () => {
    await start({ requirepass: 'sesame', unsafeNoAuth: false });
    const near = new Client('127.0.0.1');
    near.ask('AUTH sesame\r\n');
    expect(near.ask("CONFIG SET requirepass ''\r\n")).toBe('+OK\r\n');
    expect(new Client('127.0.0.1').ask('PING\r\n')).toBe('+PONG\r\n');
    const far = new Client('10.0.0.9');
    expect(far.ask('PING\r\n')).toMatch(
      /^-DENIED Redis is running in protected mode because protected mode is enabled/,
    );
    expect(far.isClosed).toBe(true);
  });
});
