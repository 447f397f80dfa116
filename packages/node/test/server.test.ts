/** A server over a network in memory, where bytes arrive in small pieces, and a store that answers when the test says so. */
import { beforeEach, describe, expect, test } from 'vitest';
import { IN_FLIGHT_MAX } from '../src/limits.ts';
import type { Socket } from '../src/runtime.ts';
import { RespServer } from '../src/server.ts';
import { MemoryServices } from './fakes/memory-services.ts';
import { MemoryNetwork } from './fakes/memory-network.ts';

const PORT = 7379;
let services: MemoryServices;
let network: MemoryNetwork;
let server: RespServer;

class Client {
  received = '';
  pieces = 0;
  isClosed = false;
  readonly socket: Socket;

  constructor() {
    this.socket = network.host('client').connect(
      { host: '127.0.0.1', port: PORT },
      {
        data: (chunk) => {
          this.received += chunk.toString('latin1');
          this.pieces++;
        },
        closed: () => {
          this.isClosed = true;
        },
      },
    );
  }

  send(text: string): this {
    this.socket.write(Buffer.from(text, 'latin1'));
    services.time.advance(200);
    return this;
  }

  /** What has come since the last time. */
  take(): string {
    services.time.advance(200);
    const { received } = this;
    this.received = '';
    return received;
  }
}

async function startOn(pieceBytes: number): Promise<void> {
  services = new MemoryServices();
  network = new MemoryNetwork(services.time, { pieceBytes: () => pieceBytes });
  Object.assign(services.runtime, { network: network.host('127.0.0.1') });
  server = new RespServer(services);
  const started = server.start();
  services.time.advance(1);
  await started;
}

beforeEach(() => startOn(64 * 1024));

describe('order', () => {
  test('replies leave in the order of the requests, whatever is done first, in one write', () => {
    services.hold = true;
    const client = new Client().send('GET a\r\nSET b 1\r\nPING\r\nGET c\r\n');
    expect(services.requests.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['read a', 'write b', 'read c']);
    services.release(2);
    services.release(1);
    expect(client.take()).toBe('');
    services.release();
    expect(client.take()).toBe('$-1\r\n+OK\r\n+PONG\r\n$-1\r\n');
    expect(client.pieces).toBe(1);
  });

  test('commands on one key take effect in their order, those on others do not wait', () => {
    services.hold = true;
    const client = new Client().send(
      'SET k 1\r\nGET k\r\nGET k\r\nSET k 2\r\nGET other\r\nMGET k other\r\nKVD.WITH W 1 SET k 3\r\n',
    );
    const held = (): string[] => services.requests.map(({ kind, key }) => `${kind} ${key}`);
    expect(held()).toEqual(['write k', 'read other']);
    services.release();
    expect(held()).toEqual(['read other', 'read k', 'read k']);
    services.release(2);
    expect(held()).toEqual(['read other', 'read k']);
    services.release(1);
    expect(held()).toEqual(['read other', 'write k']);
    services.release(1);
    expect(held()).toEqual(['read other', 'read k', 'read other']);
    services.release(1);
    services.release(1);
    expect(held()).toEqual(['read other', 'write k']);
    services.releaseAll();
    expect(client.take()).toBe('+OK\r\n$1\r\n1\r\n$1\r\n1\r\n+OK\r\n$-1\r\n*2\r\n$1\r\n2\r\n$-1\r\n+OK\r\n');
    expect(services.peek('k')).toBe('3');
  });

  test('what was asked before HELLO is answered in the protocol before it', () => {
    services.hold = true;
    const client = new Client().send('GET a\r\nHELLO 3\r\nGET a\r\n');
    services.releaseAll();
    expect(client.take()).toMatch(/^\$-1\r\n%7\r\n[\s\S]*_\r\n$/);
  });

  test('CLIENT REPLY silences: SKIP itself and the next one, OFF all until ON', () => {
    const client = new Client().send('CLIENT REPLY SKIP\r\nPING a\r\nPING b\r\n');
    expect(client.take()).toBe('$1\r\nb\r\n');
    client.send('CLIENT REPLY OFF\r\nSET k v\r\nPING\r\nCLIENT REPLY ON\r\nGET k\r\n');
    expect(client.take()).toBe('+OK\r\n$1\r\nv\r\n');
  });

  test('what takes long is in the slow log of the node, without passwords, and counted by command', () => {
    services.hold = true;
    const client = new Client().send('CONFIG SET slowlog-log-slower-than 0\r\nGET a\r\nAUTH default x\r\n');
    services.time.advance(25);
    services.releaseAll();
    client.take();
    services.hold = false;
    const told = client.send('SLOWLOG GET\r\nINFO commandstats\r\n').take();
    expect(told).toMatch(/^\*1\r\n\*6\r\n:0\r\n:\d+\r\n:\d{5,6}\r\n\*2\r\n\$3\r\nGET\r\n\$1\r\na\r\n/);
    expect(told).toContain('cmdstat_get:calls=1,usec=');
  });

  test('a pipeline cut into single bytes is the same pipeline', async () => {
    await startOn(1);
    const client = new Client();
    client.send('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\r\n\r\nGET k\r\nPING\r\n');
    expect(client.take()).toBe('+OK\r\n$2\r\n\r\n\r\n+PONG\r\n');
  });
});

describe('bounds', () => {
  test('only so many commands are in flight; the rest waits unread and unstarted, and is answered later', () => {
    services.hold = true;
    const client = new Client();
    // Small answers first: a connection begins carefully.
    services.hold = false;
    client.send('PING\r\n'.repeat(100));
    services.hold = true;
    for (let i = 0; i < 3; i++)
      client.send(Array.from({ length: 1000 }, (_, n) => `GET k${i * 1000 + n}\r\n`).join(''));
    expect(services.requests).toHaveLength(IN_FLIGHT_MAX);
    client.take();
    services.release();
    services.time.advance(10);
    expect(services.requests).toHaveLength(IN_FLIGHT_MAX);
    while (services.requests.length > 0) {
      services.releaseAll();
      services.time.advance(100);
    }
    expect(client.take()).toBe('$-1\r\n'.repeat(3000));
  });

  test('a client that does not read is not read either, and gets all once it does', () => {
    const client = new Client().send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n${'v'.repeat(300_000)}\r\n`);
    expect(client.take()).toBe('+OK\r\n');
    client.socket.pause();
    client.send('GET k\r\n'.repeat(50));
    const before = server.clients.commandsProcessed;
    expect(before).toBeLessThan(10);
    client.socket.resume();
    services.time.advance(2000);
    expect(client.take()).toHaveLength(50 * 300_011);
    expect(server.clients.commandsProcessed).toBe(51);
  });

  /** So many replies of 8 MiB are asked for by a client that was trusted with small ones. */
  function askForMuch(client: Client, replies: number): void {
    client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8388608\r\n${'v'.repeat(8 * 1024 * 1024)}\r\n`);
    client.send('PING\r\n'.repeat(100)).take();
    services.hold = true;
    client.socket.pause();
    client.send('GET k\r\n'.repeat(replies));
    services.releaseAll();
    services.hold = false;
  }

  test('a client that takes nothing of more than 64 MiB for 10 s is cut off, and no other', () => {
    const other = new Client();
    const client = new Client();
    askForMuch(client, 20);
    services.time.advance(9000);
    expect(client.isClosed).toBe(false);
    services.time.advance(11_000);
    expect(services.logged.map(({ event }) => event)).toEqual(['client-output-overflow']);
    expect(client.isClosed).toBe(true);
    expect(other.send('PING\r\n').take()).toBe('+PONG\r\n');
  });

  test('a client that pauses for 4 s with more than 64 MiB waiting gets all of it', async () => {
    await startOn(1024 * 1024);
    const client = new Client();
    askForMuch(client, 12);
    services.time.advance(4000);
    client.socket.resume();
    services.time.advance(2000);
    expect([client.isClosed, services.logged]).toEqual([false, []]);
    expect(client.received.length).toBe(12 * (8_388_608 + 12));
  });

  test('a reply of all that MGET may answer with is delivered, whatever the limit of what waits', async () => {
    await startOn(1024 * 1024);
    const client = new Client();
    client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8388608\r\n${'v'.repeat(8 * 1024 * 1024)}\r\n`).take();
    client.send(`MGET${' k'.repeat(8)}\r\n`);
    services.time.advance(2000);
    expect([client.isClosed, services.logged]).toEqual([false, []]);
    expect(client.take().length).toBe(8 * (8_388_608 + 12) + 4);
  });
});

describe('ends', () => {
  test('QUIT is answered after all before it, and nothing after it is done', () => {
    services.hold = true;
    const client = new Client().send('SET k 1\r\nQUIT\r\nSET k 2\r\n');
    services.releaseAll();
    expect(client.take()).toBe('+OK\r\n+OK\r\n');
    services.time.advance(1000);
    expect(client.isClosed).toBe(true);
    expect(services.peek('k')).toBe('1');
    expect(server.clients.size).toBe(0);
  });

  test.each([
    ['*1\r\n$10000000000\r\n', '-ERR Protocol error: invalid bulk length\r\n'],
    [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '-ERR kvd: this port speaks the Redis protocol (RESP), not HTTP; try redis-cli or kvctl\r\n',
    ],
    [
      'POST / HTTP/1.1\r\n\r\nSET k v\r\n',
      '-ERR kvd: this port speaks the Redis protocol (RESP), not HTTP; try redis-cli or kvctl\r\n',
    ],
    [
      'Host: x\r\nSET k v\r\n',
      '-ERR kvd: this port speaks the Redis protocol (RESP), not HTTP; try redis-cli or kvctl\r\n',
    ],
  ])('%j is told what is wrong after what came before, and ends; others go on', (bytes, reply) => {
    const other = new Client();
    const client = new Client().send(`PING\r\n${bytes}PING\r\n`);
    expect(client.take()).toBe(`+PONG\r\n${reply}`);
    services.time.advance(1000);
    expect(client.isClosed).toBe(true);
    expect(services.recordCount).toBe(0);
    expect(other.send('PING\r\n').take()).toBe('+PONG\r\n');
  });

  test('a client that ends its side gets its answers first', () => {
    services.hold = true;
    const client = new Client().send('GET a\r\n');
    client.socket.end();
    services.time.advance(100);
    expect(client.isClosed).toBe(false);
    services.releaseAll();
    expect(client.take()).toBe('$-1\r\n');
    services.time.advance(1000);
    expect(client.isClosed).toBe(true);
  });

  test('an answer that comes after its client has gone harms nobody', () => {
    services.hold = true;
    const client = new Client().send('SET k 1\r\nSET k 2\r\n');
    client.socket.destroy();
    services.time.advance(100);
    services.releaseAll();
    services.time.advance(100);
    expect(server.clients.size).toBe(0);
    expect(services.peek('k')).toBe('1');
  });

  test('a server that stops answers what it has taken, ends its clients, and lets nobody in', async () => {
    services.hold = true;
    const client = new Client().send('GET a\r\n');
    const idle = new Client();
    services.time.advance(10);
    const stopped = server.stop();
    for (let i = 0; i < 10; i++) {
      services.time.advance(20);
      await Promise.resolve();
    }
    services.releaseAll();
    expect(client.take()).toBe('$-1\r\n');
    services.time.advance(3000);
    await stopped;
    expect([client.isClosed, idle.isClosed]).toEqual([true, true]);
    const late = new Client();
    services.time.advance(100);
    expect(late.isClosed).toBe(true);
  });
});

test('a port that is taken is named, with the flag that changes it', async () => {
  const second = new RespServer(services).start();
  services.time.advance(1);
  await expect(second).rejects.toMatchObject({
    code: 'NODE_PORT_IN_USE',
    message: expect.stringMatching(/7379.*--port/),
  });
});

test('CLIENT LIST shows every client, with what it said of itself', () => {
  const first = new Client().send('CLIENT SETNAME one\r\n');
  const second = new Client().send('HELLO 3 SETNAME two\r\n');
  first.take();
  second.take();
  const list = first.send('CLIENT LIST\r\n').take();
  expect(list).toMatch(/name=one .*cmd=client\|list .*resp=2/);
  expect(list).toMatch(/name=two .*cmd=hello .*resp=3/);
  expect(first.send('INFO clients\r\n').take()).toContain('connected_clients:2\r\n');
});
