import { describe, expect, test } from 'vitest';
import { arityFits, type CommandRow } from '../../src/commands/command-row.ts';
import { CommandTable, commandTable } from '../../src/commands/command-table.ts';
import { execute } from '../../src/commands/dispatch.ts';
import { globMatches } from '../../src/commands/glob.ts';
import { encodeReply } from '../../src/resp/encoder.ts';
import { Session } from '../../src/session.ts';
import { MemoryServices } from '../fakes/memory-services.ts';

const services = new MemoryServices();

function wire(words: string, protocol: 2 | 3 = 2): string {
  let text = '';
  execute(
    services,
    new Session(),
    words.split(' ').map((word) => Buffer.from(word)),
    (value) => {
      text = encodeReply(value, protocol).toString('latin1').replaceAll('\r\n', ' ').trimEnd();
    },
  );
  return text;
}

function everyRow(): readonly CommandRow[] {
  return commandTable().rows.flatMap((row) => [row, ...(row.subcommands ?? [])]);
}

describe('rows', () => {
  test('each can be run or has subcommands, and says all that the documentation needs', () => {
    for (const row of everyRow()) {
      expect(row.name).toBe(row.name.toLowerCase());
      expect(row.name.length).toBeLessThanOrEqual(32);
      expect(row.handler ?? row.subcommands, row.name).toBeDefined();
      expect(row.summary && row.since && row.complexity, row.name).toBeTruthy();
      expect(row.flags.includes('readonly') && row.flags.includes('write'), row.name).toBe(false);
    }
  });

  test('a row with keys says what it does with them, and reads or writes', () => {
    for (const row of everyRow().filter(({ firstKey }) => firstKey !== undefined)) {
      expect(row.keyFlags?.length, row.name).toBeGreaterThan(0);
      expect(row.flags.includes('readonly') || row.flags.includes('write'), row.name).toBe(true);
    }
  });

  test('what may run on this node alone only reads', () => {
    for (const row of everyRow().filter(({ local }) => local)) expect(row.flags, row.name).toContain('readonly');
  });

  test('no name is given twice', () => {
    const [row] = commandTable().rows as [CommandRow];
    expect(() => new CommandTable([row, row])).toThrow('two commands');
  });

  test('every command answers too few words with its arity error', () => {
    for (const row of commandTable().rows) {
      const least = Math.abs(row.arity);
      if (least < 2) continue;
      const words = [row.name, ...new Array(least - 2).fill('x')].join(' ');
      expect(arityFits(row, least - 1)).toBe(false);
      if (row.subcommands === undefined || least === 2) {
        expect(wire(words)).toBe(`-ERR wrong number of arguments for '${row.name}' command`);
      }
    }
  });
});

// As redis-server 7.0.15 answers.
const GET_2 =
  '*10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast *0 *1 *6 $5 flags *2 +RO +access $12 begin_search *4 $4 type $5 index $4 spec *2 $5 index :1 $9 find_keys *4 $4 type $5 range $4 spec *6 $7 lastkey :0 $7 keystep :1 $5 limit :0 *0';
const GET_3 =
  '*10 $3 get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 ~1 %3 $5 flags ~2 +RO +access $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 $9 find_keys %2 $4 type $5 range $4 spec %3 $7 lastkey :0 $7 keystep :1 $5 limit :0 ~0';

describe('COMMAND, in the bytes of Redis', () => {
  test.each([
    ['COMMAND INFO get', `*1 ${GET_2}`],
    ['COMMAND INFO nosuch', '*1 *-1'],
    [
      'COMMAND INFO client|id',
      '*1 *10 $9 client|id :2 *3 +noscript +loading +stale :0 :0 :0 *2 +@slow +@connection *0 *0 *0',
    ],
    [
      'COMMAND DOCS ping',
      '*2 $4 ping *10 $7 summary $15 Ping the server $5 since $5 1.0.0 $5 group $10 connection $10 complexity $4 O(1) $9 arguments *1 *6 $4 name $7 message $4 type $6 string $5 flags *1 +optional',
    ],
    ['COMMAND DOCS nosuch', '*0'],
    ['COMMAND GETKEYS mset a b c d', '*2 $1 a $1 c'],
    ['COMMAND GETKEYS kvd.with r 1 get k', '*1 $1 k'],
    ['COMMAND GETKEYS nosuch a', '-ERR Invalid command specified'],
    ['COMMAND GETKEYS ping', "-ERR wrong number of arguments for 'command|getkeys' command"],
    ['COMMAND GETKEYS echo a', '-ERR The command has no key arguments'],
    ['COMMAND GETKEYS get a b', '-ERR Invalid number of arguments specified for command'],
    ['COMMAND GETKEYSANDFLAGS get a', '*1 *2 $1 a *2 +RO +access'],
    ['COMMAND LIST FILTERBY PATTERN mge*', '*1 $4 mget'],
    ['COMMAND LIST FILTERBY MODULE x', '*0'],
    ['COMMAND LIST FILTERBY x y', '-ERR syntax error'],
    ['COMMAND LIST x', '-ERR syntax error'],
    ['COMMAND nosuch', "-ERR unknown subcommand 'nosuch'. Try COMMAND HELP."],
  ])('%s', (words, reply) => {
    expect(wire(words)).toBe(reply);
  });

  test('in RESP3 sets and maps are what they are', () => {
    expect(wire('COMMAND INFO get', 3)).toBe(`*1 ${GET_3}`);
    expect(wire('COMMAND INFO nosuch', 3)).toBe('*1 _');
    expect(wire('COMMAND DOCS get', 3)).toMatch(
      /^%1 \$3 get %5 \$7 summary .* \*1 %3 \$4 name \$3 key \$4 type \$3 key \$14 key_spec_index :0$/,
    );
  });

  test('COUNT, LIST and COMMAND agree', () => {
    const { size } = commandTable();
    expect(wire('COMMAND COUNT')).toBe(`:${size}`);
    expect(wire('COMMAND LIST')).toMatch(new RegExp(`^\\*${size} \\$3 acl \\$6 append `));
    expect(wire('COMMAND')).toBe(wire('COMMAND INFO'));
    expect(wire('COMMAND LIST FILTERBY ACLCAT string')).toMatch(/^\*21 \$6 append .* \$6 strlen \$6 substr$/);
  });

  test('HELP lists the subcommands', () => {
    expect(wire('CLIENT HELP')).toMatch(
      /^\*29 \+CLIENT <subcommand> \[<arg> \[value\] \[opt\] \.\.\.\]\. Subcommands are:/,
    );
    expect(wire('CLUSTER HELP')).toContain('+KEYSLOT <key>');
  });
});

test.each([
  ['*', '', true],
  ['a*c', 'abbc', true],
  ['a*c', 'abb', false],
  ['a?c', 'abc', true],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[c-a]x', 'bx', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['[ab', 'a', true],
  ['a**b', 'ab', true],
  ['', 'a', false],
  [`${'a*'.repeat(30)}b`, 'a'.repeat(5000), false],
])('the pattern %s and %.10s', (pattern, text, isMatch) => {
  expect(globMatches(pattern, text)).toBe(isMatch);
});
