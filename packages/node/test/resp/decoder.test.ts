import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/errors.ts';
import { BULK_BYTES_MAX } from '../../src/limits.ts';
import { RespDecoder } from '../../src/resp/decoder.ts';

/** What comes of these chunks: commands as arrays of text, and the error that ended them. */
function decode(chunks: readonly Uint8Array[]): (string[] | string)[] {
  const decoder = new RespDecoder();
  const events: (string[] | string)[] = [];
  const kept: (readonly Buffer[])[] = [];
  try {
    for (const chunk of chunks) {
      const reused = Buffer.from(chunk);
      decoder.push(reused);
      reused.fill(0xee);
      for (let command = decoder.next(); command !== undefined; command = decoder.next()) kept.push(command);
    }
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'NODE_BAD_RESP') throw error;
    events.push(error.message);
  }
  return [...kept.map((command) => command.map((word) => word.toString('latin1'))), ...events];
}

const all = (text: string): (string[] | string)[] => decode([Buffer.from(text, 'latin1')]);

function encode(command: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const word of command) parts.push(Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n'));
  return Buffer.concat(parts);
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

const commands = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 }), { maxLength: 6 });
const places = fc.array(fc.nat(), { maxLength: 20 });

describe('any bytes', () => {
  test('commands come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(commands, places, (sent, at) => {
        const wanted = sent.map((command) => command.map((word) => Buffer.from(word).toString('latin1')));
        expect(decode(cut(Buffer.concat(sent.map(encode)), at))).toEqual(wanted);
      }),
    );
  });

  test('bytes changed at random give the same events however they are cut, and no other error', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'*$\r\n-+09aE"\'\\ \0\x16'.split(''))), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(commands, changes, places, (sent, changed, at) => {
        const bytes = Buffer.concat([...sent.map(encode), Buffer.from('SET "a b" \'c\'\r\n')]);
        for (const [place, char] of changed) bytes[place % bytes.length] = char.charCodeAt(0);
        expect(decode(cut(bytes, at))).toEqual(decode([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  test('a large value that comes in many pieces is copied a bounded number of times', () => {
    const value = Buffer.alloc(8 * 1024 * 1024, 'v');
    const decoder = new RespDecoder();
    const bytes = encode([Buffer.from('SET'), Buffer.from('k'), value]);
    let command: readonly Buffer[] | undefined;
    for (let at = 0; at < bytes.length; at += 512) {
      decoder.push(bytes.subarray(at, at + 512));
      command = decoder.next();
    }
    expect(command?.[2]?.equals(value)).toBe(true);
    // Copying all that is held with each piece would take ten times as long.
  }, 5000);
});

describe('limits', () => {
  test('a declared length of 10 GB allocates nothing and is refused in the words of Redis', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(all('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000000000\r\n')).toEqual(['Protocol error: invalid bulk length']);
    expect(all(`*2\r\n$${BULK_BYTES_MAX}\r\nab`)).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });

  test.each([
    [`*1\r\n$${BULK_BYTES_MAX + 1}\r\n`, 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*2\r\n$3\r\nGET\r\n$a\r\n', 'invalid bulk length'],
    ['*1\r\n$01\r\n', 'invalid bulk length'],
    ['*65537\r\n', 'invalid multibulk length'],
    ['*abc\r\n', 'invalid multibulk length'],
    ['*+1\r\n', 'invalid multibulk length'],
    ['*\r\n', 'invalid multibulk length'],
    ['*1\r\nfoo\r\n', "expected '$', got 'f'"],
    ['"foo\r\n', 'unbalanced quotes in request'],
    ["'a''b'\r\n", 'unbalanced quotes in request'],
    ['PING "a"b\r\n', 'unbalanced quotes in request'],
    ['x'.repeat(65_537), 'too big inline request'],
    [`*${'1'.repeat(65_537)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(65_537)}`, 'too big bulk count string'],
    ['\x16\x03\x01\x02\x00', 'this looks like TLS, and this port speaks plain RESP'],
  ])('%# %.30s is a protocol error', (bytes, message) => {
    expect(all(bytes)).toEqual([`Protocol error: ${message}`]);
  });

  test('what stands before a protocol error is still a command, what follows is not', () => {
    expect(all('PING\r\n*1\r\n$-1\r\nPING\r\n')).toEqual([['PING'], 'Protocol error: invalid bulk length']);
  });

  test('all arguments of one command together have a limit', () => {
    const half = BULK_BYTES_MAX / 2 + 1024 * 1024;
    const decoder = new RespDecoder();
    decoder.push(Buffer.from(`*3\r\n$${half}\r\n`));
    decoder.push(Buffer.alloc(half + 2));
    expect(decoder.next()).toBeUndefined();
    decoder.push(Buffer.from(`$${half}\r\n`));
    expect(() => decoder.next()).toThrow('Protocol error: the request exceeds');
  });
});

describe('forms of requests', () => {
  test.each([
    ['*0\r\n\r\nPING\r\n', [['PING']]],
    ['*-5\r\nPING\r\n', [['PING']]],
    ['PING\nPING\r\n', [['PING'], ['PING']]],
    ['*1\r\n$4\r\nPINGxxPING\r\n', [['PING'], ['PING']]],
    ['*1\r\n$0\r\n\r\n', [['']]],
    ['ECHO "a\\x01\\n\\x41\\"\\q"\r\n', [['ECHO', 'a\x01\nA"q']]],
    ["ECHO 'it\\'s' b\\n\r\n", [['ECHO', "it's", 'b\\n']]],
    ['  GET \t k  \r\n', [['GET', 'k']]],
    ['GET a"b c"\r\n', [['GET', 'ab c']]],
    ['', []],
  ])('%# %j is read as Redis reads it', (bytes, wanted) => {
    expect(all(bytes)).toEqual(wanted);
  });
});
