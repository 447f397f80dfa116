import { beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../src/commands/dispatch.ts';
import { encodeReply } from '../../src/resp/encoder.ts';
import type { RespValue } from '../../src/resp/value.ts';
import { Session } from '../../src/session.ts';
import { MemoryServices } from '../fakes/memory-services.ts';

let services: MemoryServices;
let session: Session;

beforeEach(() => {
  services = new MemoryServices();
  session = new Session({ address: '127.0.0.1:50000' });
});

/** Words at spaces; the reply, which must have come at once, and once. */
function run(...words: (string | Buffer)[]): RespValue {
  const args = words.flatMap((word) =>
    typeof word === 'string' ? word.split(' ').map((w) => Buffer.from(w)) : [word],
  );
  const replies: RespValue[] = [];
  execute(services, session, args, (reply) => replies.push(reply));
  expect(replies).toHaveLength(1);
  return replies[0] as RespValue;
}

/** The reply in bytes, CR LF as spaces, in the protocol of the session. */
function wire(...words: (string | Buffer)[]): string {
  return encodeReply(run(...words), session.protocol)
    .toString('latin1')
    .replaceAll('\r\n', ' ')
    .trimEnd();
}

describe('strings and keys', () => {
  test('what is set is got', () => {
    expect(wire('SET k v')).toBe('+OK');
    expect(wire('get k')).toBe('$1 v');
    expect(wire('GET nosuch')).toBe('$-1');
    expect(wire('STRLEN k')).toBe(':1');
    expect(wire('STRLEN nosuch')).toBe(':0');
    expect(wire('TYPE k')).toBe('+string');
    expect(wire('TYPE nosuch')).toBe('+none');
  });

  test('many keys at once, in the order asked for; of a key named twice the last value holds', () => {
    expect(wire('MSET a 1 b 2 a 3')).toBe('+OK');
    expect(wire('MGET b nosuch a b')).toBe('*4 $1 2 $-1 $1 3 $1 2');
    expect(wire('EXISTS a a nosuch')).toBe(':2');
  });

  test('a delete counts the keys that were there, each once, and writes nothing for absent ones', () => {
    run('MSET a 1 b 2');
    expect(wire('DEL a a nosuch')).toBe(':1');
    expect(wire('UNLINK a b')).toBe(':1');
    expect(wire('MGET a b')).toBe('*2 $-1 $-1');
    expect(services.recordCount).toBe(2);
  });

  test('empty keys and values, and all bytes, are as good as others', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    expect(wire('SET', bytes, bytes)).toBe('+OK');
    expect(run('GET', bytes)).toEqual(bytes);
    run('SET', Buffer.alloc(0), Buffer.alloc(0));
    expect(wire('GET', Buffer.alloc(0))).toBe('$0');
  });

  test.each([
    ['SET k', "-ERR wrong number of arguments for 'set' command"],
    ['SET k v x', '-ERR syntax error'],
    ['SET k v EX', '-ERR syntax error'],
    ['SET k v NX XX', '-ERR syntax error'],
    ['SET k v EX 1 PX 1', '-ERR syntax error'],
    ['SET k v EX x', '-ERR value is not an integer or out of range'],
    ['SET k v PXAT 9007199254740991', "-ERR invalid expire time in 'set' command"],
    ['MSETNX a 1 b 2', "-CROSSSLOT Keys in request don't hash to the same slot"],
    [
      'MSETNX {t}a 1 {t}b 2',
      '-ERR kvd: MSETNX of several keys is not available: keys are written one by one, and all or none of them cannot be promised; use SET with NX for each',
    ],
    ['INCRBYFLOAT k 0x1p3', '-ERR value is not a valid float'],
    ['MSET a', "-ERR wrong number of arguments for 'mset' command"],
    ['MSET a 1 b', "-ERR wrong number of arguments for 'mset' command"],
  ])('%s is refused, and nothing is written', (words, reply) => {
    expect(wire(words)).toBe(reply);
    expect(services.recordCount).toBe(0);
  });

  test('a value over the limit, and a key over its own, are refused by name', () => {
    services = new MemoryServices({ config: { maxValueBytes: 8 * 1024 * 1024 } });
    const value = Buffer.alloc(13_002_342);
    expect(wire('SET k', value)).toBe('-ERR kvd: value 12.4 MB exceeds max-value 8 MB');
    expect(wire('MSET a 1 k', value)).toBe('-ERR kvd: value 12.4 MB exceeds max-value 8 MB');
    run('SET k', Buffer.alloc(8 * 1024 * 1024 - 1));
    expect(wire('APPEND k x')).toBe(':8388608');
    expect(wire('APPEND k x')).toBe('-ERR kvd: the value would exceed max-value 8 MB');
    expect(wire('SETRANGE k 8388608 x')).toBe('-ERR kvd: value 8388609 bytes exceeds max-value 8388608 bytes');
    run('DEL k');
    expect(wire('GET', Buffer.alloc(65_537))).toBe('-ERR kvd: key of 65537 bytes exceeds 65536 bytes');
    expect(services.peek('k')).toBeUndefined();
  });

  test('a read of very many large values is refused, not collected', () => {
    run('SET k', Buffer.alloc(8 * 1024 * 1024));
    expect(wire(`MGET ${'k '.repeat(9).trim()}`)).toMatch(/^-ERR kvd: the reply exceeds 64 MB/);
  });
});

describe('expiry', () => {
  test('a value is there until its time has come, and then it is not', () => {
    run('SET k v PX 30');
    expect(wire('PTTL k')).toBe(':30');
    services.time.advance(29);
    expect(wire('GET k')).toBe('$1 v');
    expect(wire('KVD.LOCAL PTTL k')).toBe(':1');
    services.time.advance(1);
    expect(wire('GET k')).toBe('$-1');
    for (const words of ['TYPE k', 'TTL k', 'EXISTS k', 'DEL k', 'EXPIRE k 10', 'PERSIST k', 'STRLEN k']) {
      expect(wire(words)).toBe({ TYPE: '+none', TTL: ':-2' }[words.split(' ')[0] as string] ?? ':0');
    }
    expect(wire('SET k w XX')).toBe('$-1');
    expect(wire('SET k w NX GET')).toBe('$-1');
    expect(wire('TTL k')).toBe(':-1');
  });

  test('a counter that has expired begins anew', () => {
    run('SET k 5 PX 30');
    expect(wire('INCR k')).toBe(':6');
    expect(wire('PTTL k')).toBe(':30');
    services.time.advance(30);
    expect(wire('INCR k')).toBe(':1');
    expect(wire('TTL k')).toBe(':-1');
  });

  test('TIME is the clock that expiry goes by', () => {
    const nowMs = services.hybridNowMs();
    expect(wire('TIME')).toBe(
      `*2 $10 ${Math.floor(nowMs / 1000)} $${String((nowMs % 1000) * 1000).length} ${(nowMs % 1000) * 1000}`,
    );
    run(`SET k v PXAT ${nowMs + 1}`);
    expect(wire('EXISTS k')).toBe(':1');
    run(`SET k v PXAT ${nowMs}`);
    expect(wire('EXISTS k')).toBe(':0');
  });
});

describe('requests with an id', () => {
  test('the same id counts once, another one again', () => {
    expect(wire('KVD.WITH REQUEST a1 INCR k')).toBe(':1');
    expect(wire('KVD.WITH REQUEST a1 INCR k')).toBe(':1');
    expect(wire('KVD.WITH W 1 REQUEST a2 INCRBY k 10')).toBe(':11');
    expect(wire('KVD.WITH request a2 INCRBY k 10')).toBe(':11');
    expect(wire('KVD.WITH REQUEST a1 INCR other')).toBe(':1');
    expect(wire('KVD.WITH REQUEST f INCRBYFLOAT k 0.5')).toBe('$4 11.5');
    expect(wire('KVD.WITH REQUEST f INCRBYFLOAT k 0.5')).toBe('$4 11.5');
    expect(wire('INCRBYFLOAT k 0.5')).toBe('$2 12');
  });

  test.each([
    ['KVD.WITH REQUEST', '-ERR syntax error'],
    [`KVD.WITH REQUEST ${'x'.repeat(65)} INCR k`, '-ERR kvd: REQUEST takes an id of 1 to 64 bytes'],
    [
      'KVD.WITH REQUEST a APPEND k v',
      '-ERR kvd: APPEND behind KVD.WITH REQUEST is not available: only INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT take effect once under an id; leave REQUEST out',
    ],
    ['KVD.WITH REQUEST a INCR', "-ERR wrong number of arguments for 'incr' command"],
  ])('%.40s is an error', (words, reply) => {
    expect(wire(words)).toBe(reply);
    expect(services.recordCount).toBe(0);
  });
});

describe('outcomes', () => {
  test('a write that may have happened says so, one that certainly has not does not', () => {
    const detail = 'wrote to 1 of W=2 in 500 ms';
    services.writeFailure = { status: 'indeterminate', reason: 'quorum', detail };
    expect(wire('SET k v')).toBe('-NOREPLICAS kvd: wrote to 1 of W=2 in 500 ms; the write may still appear');
    services.writeFailure = { status: 'failed', reason: 'unreachable', detail: 'can reach 1 of W=2 nodes' };
    expect(wire('SET k v')).toBe('-CLUSTERDOWN kvd: can reach 1 of W=2 nodes');
  });

  test.each([
    ['overload', '-TRYAGAIN kvd: why'],
    ['engine', '-MISCONF kvd: the storage failed: why'],
    ['stopping', '-LOADING kvd: why'],
    ['limit', '-ERR kvd: why'],
    ['refused', '-NOREPLICAS kvd: why'],
  ] as const)('a read that failed for %s', (reason, reply) => {
    services.readFailure = { status: 'failed', reason, detail: 'why' };
    for (const words of ['GET k', 'MGET k a', 'EXISTS k', 'DEL k', 'TYPE k', 'STRLEN k'])
      expect(wire(words)).toBe(reply);
  });

  test('a delete whose write failed is an error, though the key was there', () => {
    run('SET k v');
    services.writeFailure = { status: 'indeterminate', reason: 'quorum', detail: 'late' };
    expect(wire('DEL k')).toBe('-NOREPLICAS kvd: late; the write may still appear');
  });

  test('a delete that finds nothing at its coordinator deletes what other replicas hold', () => {
    run('SET k v');
    const write = services.write.bind(services);
    const operations: string[] = [];
    services.write = (key, operation, consistency, done) => {
      operations.push('supersedes' in operation && operation.supersedes === 'held' ? 'held' : 'seen');
      if (operations.length > 1) return write(key, operation, consistency, done);
      const result = { applied: false, value: undefined };
      done({ status: 'ok', context: Buffer.alloc(0), acknowledged: 1, hinted: 0, result });
    };
    expect(wire('DEL k')).toBe(':1');
    expect(operations).toEqual(['held', 'seen']);
    expect(wire('EXISTS k')).toBe(':0');
  });

  test('an error with a code of ours is told, any other is thrown', () => {
    services.readLocal = () => {
      throw Object.assign(new Error('block 3'), { code: 'LSM_CORRUPTION' });
    };
    expect(wire('KVD.LOCAL GET k')).toBe('-ERR kvd: LSM_CORRUPTION: block 3');
    expect(services.logged.map(({ event }) => event)).toEqual(['command-failed']);
    services.readLocal = () => {
      throw new TypeError('a bug');
    };
    expect(() => run('KVD.LOCAL GET k')).toThrow('a bug');
  });

  test('a delete that names a key twice reads and counts it once, though both would find it', () => {
    run('SET a 1');
    services.hold = true;
    const replies: RespValue[] = [];
    execute(
      services,
      session,
      ['DEL', 'a', 'a'].map((word) => Buffer.from(word)),
      (reply) => replies.push(reply),
    );
    expect(services.requests).toHaveLength(1);
    services.releaseAll();
    expect(replies).toEqual([1]);
  });

  test('keys of one command are on their way together, up to a bound', () => {
    services.hold = true;
    const replies: RespValue[] = [];
    const args = ['MGET', ...Array.from({ length: 300 }, (_, i) => `k${i}`)].map((word) => Buffer.from(word));
    execute(services, session, args, (reply) => replies.push(reply));
    expect(services.requests).toHaveLength(128);
    services.release(5);
    expect(services.requests).toHaveLength(128);
    services.releaseAll();
    expect(replies).toHaveLength(1);
    expect(replies[0]).toHaveLength(300);
  });
});

describe('consistency', () => {
  test('KVD.WITH changes it for one command', () => {
    services.hold = true;
    execute(
      services,
      session,
      ['KVD.WITH', 'R', '1', 'w', '3', 'TIMEOUT', '70', 'STRICT', 'GET', 'k'].map((w) => Buffer.from(w)),
      () => {},
    );
    execute(
      services,
      session,
      ['GET', 'k'].map((w) => Buffer.from(w)),
      () => {},
    );
    expect(services.requests[0]?.consistency).toMatchObject({ r: 1, w: 3, timeoutMs: 70, mode: 'strict' });
    expect(services.requests[1]?.consistency).toMatchObject({ r: 2, w: 2, timeoutMs: 5000, mode: 'sloppy' });
  });

  test.each([
    ['KVD.WITH R 1', "-ERR wrong number of arguments for 'kvd.with' command"],
    ['KVD.WITH R', '-ERR syntax error'],
    ['KVD.WITH R x GET k', '-ERR value is not an integer or out of range'],
    ['KVD.WITH STRICT SLOPPY GET k', '-ERR syntax error: STRICT or SLOPPY, once'],
    ['KVD.WITH W 2 w 3 SET k v', '-ERR syntax error: W is given twice'],
    ['KVD.WITH REQUEST a REQUEST b INCR k', '-ERR syntax error: REQUEST is given twice'],
    ['KVD.WITH R 99999999999999999999 GET k', '-ERR value is not an integer or out of range'],
    ['KVD.WITH R 9007199254740993 GET k', '-ERR value is not an integer or out of range'],
    ...['HELLO 3', 'CLIENT SETNAME x', 'PING', 'AUTH x'].map((words) => [
      `KVD.WITH R 1 ${words}`,
      `-ERR kvd: ${/^CLIENT \w+|^\w+/.exec(words)?.[0]} behind KVD.WITH is not available: it runs commands on keys, and no other KVD.WITH`,
    ]),
    ['HELLO 99999999999999999999', '-ERR Protocol version is not an integer or out of range'],
    ['HELLO 4', '-NOPROTO unsupported protocol version'],
    ['SELECT 99999999999999999999', '-ERR value is not an integer or out of range'],
    ['SELECT 3000000000', '-ERR value is out of range, value must between -2147483648 and 2147483647'],
    ['SELECT 16', '-ERR DB index is out of range'],
    ['KVD.WITH R 4 GET k', '-ERR kvd: R=4 is more than N=3'],
    ['KVD.WITH R 1 GET', "-ERR wrong number of arguments for 'get' command"],
    ['KVD.WITH R 1 FOO a', "-ERR unknown command 'FOO', with args beginning with: 'a' "],
    [
      'KVD.WITH KVD.WITH GET k',
      '-ERR kvd: KVD.WITH behind KVD.WITH is not available: it runs commands on keys, and no other KVD.WITH',
    ],
    [
      'KVD.LOCAL SET k v',
      '-ERR kvd: SET behind KVD.LOCAL is not available: it runs commands that only read keys: GET, MGET, EXISTS, KVD.GET and their like',
    ],
    ['KVD.LOCAL', "-ERR wrong number of arguments for 'kvd.local' command"],
  ])('%s is an error', (words, reply) => {
    expect(`${wire(words)}${reply.endsWith(' ') ? ' ' : ''}`).toBe(reply);
  });

  test('CONFIG GET proto-max-bulk-len tells the longest string that is read, not the longest that is stored', () => {
    expect(wire('CONFIG GET proto-max-bulk-len')).toContain('67108864');
    expect(wire('CONFIG GET kvd-max-value-bytes')).toContain(String(services.config.maxValueBytes));
  });

  test('KVD.LOCAL reads this node alone', () => {
    run('SET k v');
    services.readFailure = { status: 'failed', reason: 'unreachable', detail: 'none' };
    expect(wire('KVD.LOCAL GET k')).toBe('$1 v');
    expect(wire('KVD.LOCAL MGET k nosuch')).toBe('*2 $1 v $-1');
    expect(wire('KVD.LOCAL EXISTS k')).toBe(':1');
    expect(wire('KVD.LOCAL TYPE k')).toBe('+string');
    expect(wire('KVD.LOCAL STRLEN k')).toBe(':1');
  });
});

describe('connection', () => {
  test.each([
    ['PING', '+PONG'],
    ['PING hi', '$2 hi'],
    ['PING a b', "-ERR wrong number of arguments for 'ping' command"],
    ['ECHO hi', '$2 hi'],
    ['SELECT 0', '+OK'],
    ['SELECT 1', '-ERR DB index is out of range'],
    ['SELECT a', '-ERR value is not an integer or out of range'],
    ['AUTH a b', '-WRONGPASS invalid username-password pair or user is disabled.'],
    ['AUTH default b', '+OK'],
    ['AUTH a b c', '-ERR syntax error'],
    ['HELLO 4', '-NOPROTO unsupported protocol version'],
    ['HELLO x', '-ERR Protocol version is not an integer or out of range'],
    ['HELLO 2 AUTH a', "-ERR Syntax error in HELLO option 'AUTH'"],
    ['HELLO 3 foo', "-ERR Syntax error in HELLO option 'foo'"],
    ['HELLO 3 AUTH x y', '-WRONGPASS invalid username-password pair or user is disabled.'],
    ['CLIENT', "-ERR wrong number of arguments for 'client' command"],
    ['CLIENT foo', "-ERR unknown subcommand 'foo'. Try CLIENT HELP."],
    ['client setname', "-ERR wrong number of arguments for 'client|setname' command"],
    ['CLIENT GETNAME', '$-1'],
    ['CLIENT SETINFO x y', "-ERR Unrecognized option 'x'"],
    ['CLIENT LIST TYPE x', "-ERR Unknown client type 'x'"],
    ['CLIENT LIST ID 1 x', '-ERR Invalid client ID'],
    ['CLIENT LIST foo', '-ERR syntax error'],
    ['CLIENT NO-EVICT x', '-ERR syntax error'],
    ['CLIENT NO-TOUCH on', '+OK'],
    ['CLIENT MAINT_NOTIFICATIONS ON', "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."],
    ['CONFIG GET save', '*2 $4 save $0'],
    ['CONFIG SET a b', "-ERR Unknown option or number of arguments for CONFIG SET - 'a'"],
    ['HSET k f v', "-ERR unknown command 'HSET', with args beginning with: 'k' 'f' 'v'"],
    ['BLPOP k 0', '-ERR kvd: BLPOP is not available: no command waits for a write of another client'],
    ['JSON.GET k', '-ERR kvd: JSON.GET is not available: there are no modules'],
    ['__proto__', "-ERR unknown command '__proto__', with args beginning with:"],
    ['CLUSTER __proto__', "-ERR unknown subcommand '__proto__'. Try CLUSTER HELP."],
  ])('%s', (words, reply) => {
    expect(wire(words)).toBe(reply);
  });

  test('AUTH with a password alone has the words of Redis', () => {
    expect(wire('AUTH a')).toMatch(
      /^-ERR AUTH <password> called without any password configured for the default user\./,
    );
  });

  test('HELLO changes the protocol, and says who is there', () => {
    const fields = `$6 server $5 redis $7 version $5 7.4.0 $5 proto :3 $2 id :${session.id} $4 mode $10 standalone $4 role $6 master $7 modules *0`;
    expect(wire('HELLO 3 AUTH default x SETNAME me')).toBe(`%7 ${fields}`);
    expect(session).toMatchObject({ protocol: 3, name: 'me' });
    expect(wire('GET nosuch')).toBe('_');
    expect(wire('HELLO 3 SETNAME')).toMatch(/^-ERR Syntax error/);
    expect(wire('RESET')).toBe('+RESET');
    expect(session).toMatchObject({ protocol: 2, name: '' });
    expect(wire('HELLO')).toMatch(/^\*14 /);
  });

  test('a client says what it is', () => {
    run('CLIENT SETNAME me');
    run('CLIENT SETINFO LIB-NAME ioredis');
    run('CLIENT SETINFO lib-ver 6.0.0');
    expect(wire('CLIENT GETNAME')).toBe('$2 me');
    expect(wire('CLIENT SETNAME', Buffer.from('a b'))).toMatch(/^-ERR Client names cannot contain/);
    expect(wire('CLIENT INFO')).toMatch(
      / addr=127.0.0.1:50000 laddr=127.0.0.1:7379 fd=0 name=me .* lib-name=ioredis lib-ver=6.0.0/,
    );
  });

  test('unknown commands are repeated up to 128 bytes, as Redis does', () => {
    const long = 'y'.repeat(200);
    expect(wire(long, 'b')).toBe(`-ERR unknown command '${'y'.repeat(128)}', with args beginning with: 'b'`);
    const [a, b] = ['a'.repeat(57), 'b'.repeat(70)];
    expect(wire('foo', a, b, 'c')).toBe(
      `-ERR unknown command 'foo', with args beginning with: '${a}' '${b.slice(0, 68)}'`,
    );
    expect(wire('foo', Buffer.from('a\r\nb'))).toBe("-ERR unknown command 'foo', with args beginning with: 'a  b'");
    expect(wire('CLIENT', long)).toBe(`-ERR unknown subcommand '${'y'.repeat(128)}'. Try CLIENT HELP.`);
  });
});

describe('information', () => {
  test('INFO has sections, one or all', () => {
    const text = wire('INFO');
    for (const field of [
      'redis_version:7.4.0',
      'loading:0',
      'role:master',
      'cluster_enabled:0',
      'hints_pending:3',
      'write_ok:3',
    ]) {
      expect(text).toContain(` ${field} `.trimEnd());
    }
    expect(wire('INFO kvd')).not.toContain('redis_version');
    expect(wire('INFO nosuch')).toBe('$0');
  });

  test('KVD.MEMBERS, KVD.LOCATE and KVD.STATS are JSON', () => {
    services.unreachable.add('n2');
    const members = JSON.parse(run('KVD.MEMBERS') as string);
    expect(members[1]).toMatchObject({
      id: 'n2',
      host: '127.0.0.1',
      port: 7380,
      state: 'suspect',
      suspectedBy: ['n1'],
      reachable: false,
    });
    expect(members[2]).toMatchObject({ id: 'n3', health: 'UNKNOWN', reachable: true, self: false });
    const location = JSON.parse(run('KVD.LOCATE k') as string);
    expect(location).toMatchObject({ key: 'k', slot: 7629, primary: location.row[0] });
    expect([...location.row, ...location.fallbacks].sort()).toEqual(['n1', 'n2', 'n3']);
    expect(location.firstReachable).not.toBe('n2');
    expect(JSON.parse(run('KVD.STATS') as string)).toMatchObject({ clusterId: 'c0ffee', clients: { errorReplies: 0 } });
  });
});
