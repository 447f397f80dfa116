import { beforeEach, describe, expect, test } from 'vitest';
import { ClientRegistry } from '../../src/client-registry.ts';
import { execute } from '../../src/commands/dispatch.ts';
import { cursorOf, readCursor } from '../../src/commands/scan-cursor.ts';
import { encodeReply } from '../../src/resp/encoder.ts';
import { Session } from '../../src/session.ts';
import { SlowLog } from '../../src/slow-log.ts';
import { MemoryServices } from '../fakes/memory-services.ts';

let services: MemoryServices;
let session: Session;

beforeEach(() => {
  services = new MemoryServices();
  session = new Session({ address: '127.0.0.1:50000' });
});

/** The reply in bytes, CR LF as spaces. */
function wire(words: string, protocol: 2 | 3 = 2): string {
  const replies: string[] = [];
  const args = words.split(' ').map((word) => Buffer.from(word));
  execute(services, session, args, (reply) => replies.push(encodeReply(reply, protocol).toString('latin1')));
  services.time.advance(0);
  for (let i = 0; i < 20 && replies.length === 0; i++) services.time.advance(1);
  expect(replies).toHaveLength(1);
  return (replies[0] as string).replaceAll('\r\n', ' ').trimEnd();
}

describe('commands on all keys', () => {
  // As redis-server 7.0.15 answers.
  test.each([
    ['SCAN x', '-ERR invalid cursor'],
    ['SCAN -1', '-ERR invalid cursor'],
    ['SCAN 18446744073709551616', '-ERR invalid cursor'],
    ['SCAN 0 COUNT x', '-ERR value is not an integer or out of range'],
    ['SCAN 0 COUNT 0', '-ERR syntax error'],
    ['SCAN 0 MATCH', '-ERR syntax error'],
    ['SCAN 0 NOSUCH x', '-ERR syntax error'],
    ['SCAN 0', '*2 $1 0 *0'],
    ['SCAN 0 TYPE nosuch', '*2 $1 0 *0'],
    ['KEYS *', '*0'],
    ['DBSIZE', ':0'],
    ['RANDOMKEY', '$-1'],
  ])('%s of an empty store', (words, reply) => {
    expect(wire(words)).toBe(reply);
  });

  test('of a store with keys', () => {
    wire('MSET a 1 b 2');
    expect(wire('DBSIZE')).toBe(':2');
    expect(wire('KEYS a*')).toBe('*1 $1 a');
    expect(wire('SCAN 0 COUNT 100 MATCH b TYPE STRING')).toBe('*2 $1 0 *1 $1 b');
    expect(wire('RANDOMKEY', 3)).toMatch(/^\$1 [ab]$/);
  });

  test('KEYS over its limit names SCAN, and CONFIG SET moves the limit', () => {
    wire('MSET a 1 b 2');
    wire('CONFIG SET kvd-keys-max 1');
    expect(wire('KEYS *')).toBe(
      '-ERR kvd: there are more than kvd-keys-max 1 keys; use SCAN, which takes them a few at a time',
    );
    wire('CONFIG SET kvd-keys-max 2');
    expect(wire('KEYS *')).toMatch(/^\*2/);
  });

  test('they wait for the earlier writes of their connection', () => {
    services.hold = true;
    const replies: unknown[] = [];
    execute(services, session, [Buffer.from('SET'), Buffer.from('k'), Buffer.from('v')], () => {});
    execute(services, session, [Buffer.from('DBSIZE')], (reply) => replies.push(reply));
    expect(replies).toEqual([]);
    services.releaseAll();
    expect(replies).toEqual([1]);
  });

  test('a cursor has its place and fits into 64 bits', () => {
    expect(cursorOf(undefined)).toBe('0');
    expect(readCursor(Buffer.from(cursorOf({ slot: 9, after: Buffer.alloc(0) })))).toEqual({ slot: 9, mark: 0n });
    const cursor = cursorOf({ slot: 16383, after: Buffer.from('an address') });
    expect(BigInt(cursor)).toBeLessThan(1n << 64n);
    expect(readCursor(Buffer.from(cursor))).toMatchObject({ slot: 16383 });
  });
});

describe('WAIT', () => {
  test('of a connection that has not written is nothing', () => {
    expect(wire('WAIT 1 100')).toBe(':0');
    expect(wire('WAITAOF 1 1 100')).toBe('*2 :0 :0');
  });

  test('counts the copies of the last write beside the first, WAITAOF those on disk', () => {
    wire('SET a 1');
    wire('SET b 1');
    services.copies = { nodes: 3, here: true };
    expect(wire('WAIT 2 100')).toBe(':2');
    expect(wire('WAITAOF 1 2 100')).toBe('*2 :1 :2');
    services.copies = { nodes: 2, here: false };
    expect(wire('WAITAOF 1 2 0')).toBe('*2 :0 :2');
    const asked = services.copiesAsked.map(({ key, durability, timeoutMs }) => [String(key), durability, timeoutMs]);
    expect(asked).toEqual([
      ['b', 'memory', 100],
      ['b', 'sync', 100],
      ['b', 'sync', 30_000],
    ]);
    const [memory, disk] = services.copiesAsked;
    expect([2, 3].map((nodes) => memory?.isEnough({ nodes, here: true }))).toEqual([false, true]);
    expect([true, false].map((here) => disk?.isEnough({ nodes: 3, here }))).toEqual([true, false]);
  });

  test.each([
    ['WAIT x 1', '-ERR value is not an integer or out of range'],
    ['WAIT 1 x', '-ERR timeout is not an integer or out of range'],
    ['WAIT 1 -1', '-ERR timeout is negative'],
    ['WAITAOF 2 0 0', '-ERR value is out of range, value must between 0 and 1'],
  ])('%s is refused', (words, reply) => {
    expect(wire(words)).toBe(reply);
  });
});

describe('CONFIG', () => {
  test('SET takes effect, all or nothing', () => {
    expect(wire('CONFIG SET slowlog-log-slower-than 5 slowlog-max-len 7')).toBe('+OK');
    expect(wire('CONFIG GET slowlog-*')).toBe('*4 $23 slowlog-log-slower-than $1 5 $15 slowlog-max-len $1 7');
    expect(wire('CONFIG SET slowlog-max-len 9 nosuch 1')).toBe(
      "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
    );
    expect(wire('CONFIG GET slowlog-max-len')).toContain('$1 7');
    expect(wire('CONFIG SET slowlog-max-len x')).toBe(
      "-ERR CONFIG SET failed (possibly related to argument 'slowlog-max-len') - argument couldn't be parsed into an integer",
    );
    expect(wire('CONFIG SET kvd-keys-max 0')).toMatch(/must be between 1 and 10000000 inclusive$/);
    expect(wire('CONFIG SET save x')).toMatch(/^-ERR kvd: CONFIG SET save is not available/);
  });

  test('RESETSTAT begins to count anew', () => {
    session.clients.commandsProcessed = 9;
    session.clients.commandStats.add('get', 1, false);
    expect(wire('CONFIG RESETSTAT')).toBe('+OK');
    expect(session.clients.commandsProcessed).toBe(0);
    expect(wire('INFO commandstats')).toBe('$16 # Commandstats');
  });
});

describe('the slow log', () => {
  const finished = (tookMs: number, ...words: string[]) => ({
    args: words.map((word) => Buffer.from(word)),
    tookMs,
    wallMs: 1_700_000_000_000,
    address: '127.0.0.1:1',
    clientName: 'me',
  });

  test('keeps the newest of what was slow', () => {
    const { settings, slowLog } = session.clients;
    settings.slowLogLengthMax = 2;
    expect([slowLog.isSlow(9), slowLog.isSlow(10)]).toEqual([false, true]);
    for (const word of ['a', 'b', 'c']) slowLog.note(finished(12.5, 'GET', word));
    expect(wire('SLOWLOG LEN')).toBe(':2');
    expect(wire('SLOWLOG GET 1')).toBe('*1 *6 :2 :1700000000 :12500 *2 $3 GET $1 c $11 127.0.0.1:1 $2 me');
    expect(wire('SLOWLOG GET')).toMatch(/^\*2/);
    expect(wire('SLOWLOG GET -2')).toBe('-ERR count should be greater than or equal to -1');
    expect(wire('SLOWLOG RESET')).toBe('+OK');
    expect(wire('SLOWLOG GET -1')).toBe('*0');
  });

  test('shortens many words and long ones as Redis does', () => {
    const log = new SlowLog(new ClientRegistry().settings);
    log.note(finished(20, ...new Array(40).fill('x'.repeat(130))));
    const [noted] = log.commands(1);
    expect(noted?.words).toHaveLength(32);
    expect(String(noted?.words[0])).toBe(`${'x'.repeat(128)}... (2 more bytes)`);
    expect(String(noted?.words[31])).toBe('... (9 more arguments)');
  });

  test('LATENCY tells of the highest in each second, once it is asked to', () => {
    expect(wire('LATENCY LATEST')).toBe('*0');
    expect(wire('LATENCY DOCTOR')).toContain('Latency monitoring is disabled');
    wire('CONFIG SET latency-monitor-threshold 50');
    const { slowLog } = session.clients;
    for (const ms of [60, 80, 70]) slowLog.note(finished(ms, 'GET', 'a'));
    expect(wire('LATENCY LATEST')).toBe('*1 *4 $7 command :1700000000 :80 :80');
    expect(wire('LATENCY HISTORY command')).toBe('*1 *2 :1700000000 :80');
    expect(wire('LATENCY HISTORY nosuch')).toBe('*0');
    expect(wire('LATENCY RESET nosuch')).toBe(':0');
    expect(wire('LATENCY RESET')).toBe(':1');
    expect(wire('LATENCY LATEST')).toBe('*0');
  });
});

describe('small answers', () => {
  test.each([
    ['READONLY', '+OK'],
    ['READWRITE', '+OK'],
    ['ASKING', '+OK'],
    ['ROLE', '*3 $6 master :0 *0'],
    ['ACL WHOAMI', '$7 default'],
    ['ACL LIST', '*1 $34 user default on nopass ~* &* +@all'],
    ['MODULE LIST', '*0'],
    ['OBJECT ENCODING nosuch', '$-1'],
    ['MEMORY USAGE nosuch', '$-1'],
    ['MEMORY USAGE k SAMPLES', '-ERR syntax error'],
  ])('%s', (words, reply) => {
    expect(wire(words)).toBe(reply);
  });

  test('OBJECT and MEMORY tell of a value', () => {
    wire('MSET n 12 s short k v');
    expect(wire('OBJECT ENCODING n')).toBe('$3 int');
    expect(wire('OBJECT ENCODING s')).toBe('$6 embstr');
    wire(`SET l ${'x'.repeat(45)}`);
    expect(wire('OBJECT ENCODING l')).toBe('$3 raw');
    expect(wire('OBJECT REFCOUNT s')).toBe(':1');
    expect(wire('OBJECT FREQ s')).toMatch(/^-ERR An LFU maxmemory policy is not selected/);
    expect(wire('OBJECT IDLETIME s')).toMatch(/^-ERR kvd: OBJECT IDLETIME is not available: no access times/);
    expect(wire('MEMORY USAGE k')).toBe(':66');
  });

  test.each(['FLUSHALL', 'FLUSHDB', 'SHUTDOWN', 'DEBUG SLEEP 1', 'MONITOR', 'CLIENT TRACKING on', 'ACL SETUSER a'])(
    '%s is refused, with a reason and a way',
    (words) => {
      expect(wire(words)).toMatch(/^-ERR kvd: [A-Z ]+ is not available: ./);
    },
  );
});

describe('CLIENT', () => {
  test.each([
    ['CLIENT GETREDIR', ':-1'],
    ['CLIENT UNBLOCK 7', ':0'],
    ['CLIENT UNBLOCK x', '-ERR value is not an integer or out of range'],
    ['CLIENT UNBLOCK 7 nosuch', '-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR'],
    ['CLIENT TRACKINGINFO', '*6 $5 flags *1 $3 off $8 redirect :-1 $8 prefixes *0'],
    ['CLIENT KILL 1.2.3.4:5', '-ERR No such client'],
    ['CLIENT KILL ID 0', '-ERR client-id should be greater than 0'],
    ['CLIENT KILL ID 77', ':0'],
    ['CLIENT KILL USER me', "-ERR No such user 'me'"],
    ['CLIENT KILL TYPE nosuch', "-ERR Unknown client type 'nosuch'"],
    ['CLIENT KILL NOSUCH 1', '-ERR syntax error'],
    ['CLIENT KILL ID 1 SKIPME', '-ERR syntax error'],
    ['CLIENT REPLY maybe', '-ERR syntax error'],
  ])('%s', (words, reply) => {
    expect(wire(words)).toBe(reply);
  });

  test('KILL ends those that all filters fit, and spares its own connection unless told', () => {
    const killed: number[] = [];
    const { clients } = session;
    clients.add(session);
    const others = [1, 2].map((n) => {
      const other = new Session({ address: `10.0.0.${n}:1`, clients });
      other.kill = () => killed.push(other.id);
      clients.add(other);
      return other;
    });
    expect(wire('CLIENT KILL TYPE normal ADDR 10.0.0.2:1')).toBe(':1');
    expect(killed).toEqual([others[1]?.id]);
    expect(wire('CLIENT KILL 10.0.0.1:1')).toBe('+OK');
    expect(wire('CLIENT KILL USER default')).toBe(':2');
    expect(session.closing).toBe(false);
    expect(wire('CLIENT KILL USER default SKIPME no')).toBe(':3');
    expect(session.closing).toBe(true);
  });
});

describe('CLUSTER, keys of a slot', () => {
  test('are counted and told', () => {
    wire('MSET {a}1 x {a}2 x b x');
    const slot = wire('CLUSTER KEYSLOT a').slice(1);
    expect(wire(`CLUSTER COUNTKEYSINSLOT ${slot}`)).toBe(':2');
    expect(wire(`CLUSTER GETKEYSINSLOT ${slot} 1`)).toBe('*1 $4 {a}1');
    expect(wire(`CLUSTER GETKEYSINSLOT ${slot} 9`)).toBe('*2 $4 {a}1 $4 {a}2');
    expect(wire('CLUSTER COUNTKEYSINSLOT 16384')).toBe('-ERR Invalid slot');
    expect(wire('CLUSTER GETKEYSINSLOT 1 -1')).toBe('-ERR Invalid slot or number of keys');
    expect(wire('CLUSTER LINKS')).toMatch(/^\*2 \*12 \$9 direction \$2 to/);
  });
});
