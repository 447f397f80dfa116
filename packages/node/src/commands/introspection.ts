/** COMMAND: the table, told in the shapes of Redis 7. */
import { failure, mapOf, type RespValue, setOf, simple } from '../resp/value.ts';
import { arityFits, type ArgumentDoc, type Call, type CommandRow, keysOf } from './command-row.ts';
import { commandTable, type FoundRow, nameOf } from './command-table.ts';
import { globMatches } from './glob.ts';
import { helpRow } from './help.ts';
import { SYNTAX_ERROR } from './reply-errors.ts';

const GROUP_CATEGORIES: Readonly<Record<CommandRow['group'], string | undefined>> = {
  connection: 'connection',
  string: 'string',
  generic: 'keyspace',
  server: undefined,
  cluster: undefined,
  kvd: undefined,
};

/** Without the at-sign, in the order of Redis. */
export function categoriesOf(row: CommandRow): readonly string[] {
  const { flags, group } = row;
  const names: string[] = [];
  const own = GROUP_CATEGORIES[group];
  const inGroup = row.subcommands === undefined ? own : undefined;
  if (inGroup === 'keyspace') names.push(inGroup);
  if (flags.includes('readonly')) names.push('read');
  if (flags.includes('write')) names.push('write');
  if (inGroup === 'string') names.push(inGroup);
  if (flags.includes('admin')) names.push('admin');
  names.push(flags.includes('fast') ? 'fast' : 'slow');
  if (flags.includes('admin')) names.push('dangerous');
  if (inGroup === 'connection') names.push(inGroup);
  return [...names, ...(row.categories ?? [])];
}

function infoOf({ row, name }: FoundRow): RespValue {
  return [
    name,
    row.arity,
    setOf(row.flags.map(simple)),
    row.firstKey ?? 0,
    row.lastKey ?? 0,
    row.keyStep ?? 0,
    setOf(categoriesOf(row).map((category) => simple(`@${category}`))),
    setOf(row.tips ?? []),
    setOf(keySpecifications(row)),
    setOf((row.subcommands ?? []).map((sub) => infoOf(named(row, sub)))),
  ];
}

function named(parent: CommandRow, row: CommandRow): FoundRow {
  return { row, name: `${parent.name}|${row.name}`, refusal: undefined };
}

function keySpecifications(row: CommandRow): readonly RespValue[] {
  const { firstKey = 0, lastKey = 0, keyStep = 0 } = row;
  if (firstKey === 0) return [];
  const begin = mapOf([
    ['type', 'index'],
    ['spec', mapOf([['index', firstKey]])],
  ]);
  const range = mapOf([
    ['lastkey', lastKey < 0 ? lastKey : lastKey - firstKey],
    ['keystep', keyStep],
    ['limit', 0],
  ]);
  const find = mapOf([
    ['type', 'range'],
    ['spec', range],
  ]);
  const entries: (readonly [string, RespValue])[] = row.keyNotes === undefined ? [] : [['notes', row.keyNotes]];
  entries.push(['flags', setOf((row.keyFlags ?? []).map(simple))], ['begin_search', begin], ['find_keys', find]);
  return [mapOf(entries)];
}

function docsOf({ row, name }: FoundRow): readonly [string, RespValue] {
  const entries: [string, RespValue][] = [
    ['summary', row.summary],
    ['since', row.since],
    ['group', row.group],
    ['complexity', row.complexity],
  ];
  if (row.history !== undefined) entries.push(['history', setOf(row.history)]);
  if (row.deprecated !== undefined) {
    entries.push(['doc_flags', setOf([simple('deprecated')])]);
    entries.push(['deprecated_since', row.deprecated.since], ['replaced_by', row.deprecated.replacedBy]);
  }
  if (row.arguments !== undefined) entries.push(['arguments', row.arguments.map(argumentOf)]);
  if (row.subcommands !== undefined) {
    entries.push(['subcommands', mapOf(row.subcommands.map((sub) => docsOf(named(row, sub))))]);
  }
  return [name, mapOf(entries)];
}

function argumentOf(doc: ArgumentDoc): RespValue {
  const entries: [string, RespValue][] = [
    ['name', doc.name],
    ['type', doc.type],
  ];
  if (doc.type === 'key') entries.push(['key_spec_index', 0]);
  if (doc.token !== undefined) entries.push(['token', doc.token]);
  if (doc.since !== undefined) entries.push(['since', doc.since]);
  const flags = [...(doc.optional ? ['optional'] : []), ...(doc.multiple ? ['multiple'] : [])];
  if (flags.length > 0) entries.push(['flags', setOf(flags.map(simple))]);
  if (doc.arguments !== undefined) entries.push(['arguments', doc.arguments.map(argumentOf)]);
  return mapOf(entries);
}

/** A row by the name that COMMAND gives it: `get`, `client|id`. */
function findNamed(word: Buffer): FoundRow | undefined {
  const [name = '', sub] = nameOf(word).split('|', 2);
  return sub === undefined ? commandTable().find(name) : commandTable().findSubcommand(name, sub);
}

function allRows(): readonly FoundRow[] {
  return commandTable().rows.map((row) => ({ row, name: row.name, refusal: undefined }));
}

function info(call: Call): void {
  const { args } = call;
  if (args.length < 3) return call.reply(allRows().map(infoOf));
  call.reply(
    args.slice(2).map((word) => {
      const found = findNamed(word);
      return found === undefined ? { kind: 'null-array' } : infoOf(found);
    }),
  );
}

function docs(call: Call): void {
  const { args } = call;
  const rows = args.length < 3 ? allRows() : args.slice(2).map(findNamed);
  call.reply(mapOf(rows.filter((row) => row !== undefined).map(docsOf)));
}

/** `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`. */
function list(call: Call): void {
  const { args } = call;
  if (args.length === 2) return call.reply(commandTable().rows.map((row) => row.name));
  const words = args.slice(2).map((word) => word.toString('latin1').toLowerCase());
  const [filterBy, kind, value] = words;
  if (words.length !== 3 || filterBy !== 'filterby' || kind === undefined || value === undefined) {
    return call.reply(SYNTAX_ERROR);
  }
  if (kind !== 'module' && kind !== 'aclcat' && kind !== 'pattern') return call.reply(SYNTAX_ERROR);
  call.reply(namesBy(kind, value));
}

function namesBy(kind: 'module' | 'aclcat' | 'pattern', value: string): readonly string[] {
  if (kind === 'module') return [];
  const shown = allRows().flatMap(({ row }) => [
    row.name,
    ...(row.subcommands ?? []).map((sub) => `${row.name}|${sub.name}`),
  ]);
  if (kind === 'pattern') return shown.filter((name) => globMatches(value, name));
  return shown.filter((name) => {
    const found = findNamed(Buffer.from(name));
    return found !== undefined && categoriesOf(found.row).includes(value);
  });
}

/** The words behind COMMAND GETKEYS as a command: its row and its keys, or what is wrong with it. */
function keysBehind(call: Call): { readonly row: CommandRow; readonly keys: readonly Buffer[] } | RespValue {
  const words = call.args.slice(2);
  const found = commandTable().find(nameOf(words[0] as Buffer));
  const sub =
    found?.row.subcommands && words[1] ? commandTable().findSubcommand(found.name, nameOf(words[1])) : undefined;
  const row = (sub ?? found)?.row;
  if (row === undefined) return failure('ERR Invalid command specified');
  if (row.firstKey === undefined && row.findKeys === undefined) {
    return failure('ERR The command has no key arguments');
  }
  if (!arityFits(row, words.length)) return failure('ERR Invalid number of arguments specified for command');
  return { row, keys: keysOf(row, words) };
}

function getKeys(call: Call): void {
  const found = keysBehind(call);
  call.reply(isFound(found) ? found.keys : found);
}

function getKeysAndFlags(call: Call): void {
  const found = keysBehind(call);
  if (!isFound(found)) return call.reply(found);
  const flags = setOf((found.row.keyFlags ?? []).map(simple));
  call.reply(found.keys.map((key) => [key, flags]));
}

function isFound(
  found: ReturnType<typeof keysBehind>,
): found is { readonly row: CommandRow; readonly keys: readonly Buffer[] } {
  return typeof found === 'object' && found !== null && 'row' in found;
}

const SERVER = { flags: ['loading', 'stale'], categories: ['connection'], group: 'server' } as const;
const NAMES = [{ name: 'command-name', type: 'string', optional: true, multiple: true }] as const;
const FULL_COMMAND = [
  { name: 'command', type: 'string' },
  { name: 'arg', type: 'string', optional: true, multiple: true },
] as const;

const SUBCOMMANDS: readonly CommandRow[] = [
  {
    name: 'count',
    arity: 2,
    ...SERVER,
    since: '2.8.13',
    summary: 'Get total number of commands',
    complexity: 'O(1)',
    handler: (call) => call.reply(commandTable().size),
  },
  {
    name: 'docs',
    arity: -2,
    ...SERVER,
    tips: ['nondeterministic_output_order'],
    since: '7.0.0',
    summary: 'Get array of specific command documentation',
    complexity: 'O(N) where N is the number of commands to look up',
    arguments: NAMES,
    handler: docs,
  },
  {
    name: 'getkeys',
    arity: -4,
    ...SERVER,
    since: '2.8.13',
    summary: 'Extract keys given a full command',
    complexity: 'O(N) where N is the number of arguments to the command',
    arguments: FULL_COMMAND,
    handler: getKeys,
  },
  {
    name: 'getkeysandflags',
    arity: -4,
    ...SERVER,
    since: '7.0.0',
    summary: 'Extract keys and access flags given a full command',
    complexity: 'O(N) where N is the number of arguments to the command',
    arguments: FULL_COMMAND,
    handler: getKeysAndFlags,
  },
  {
    name: 'info',
    arity: -2,
    ...SERVER,
    tips: ['nondeterministic_output_order'],
    since: '2.8.13',
    summary: 'Get array of specific command details, or all when no argument is given.',
    complexity: 'O(N) where N is the number of commands to look up',
    arguments: NAMES,
    handler: info,
  },
  {
    name: 'list',
    arity: -2,
    ...SERVER,
    tips: ['nondeterministic_output_order'],
    since: '7.0.0',
    summary: 'Get an array of command names',
    complexity: 'O(N) where N is the total number of commands',
    arguments: [
      {
        name: 'filterby',
        type: 'oneof',
        token: 'FILTERBY',
        optional: true,
        arguments: [
          { name: 'module-name', type: 'string', token: 'MODULE' },
          { name: 'category', type: 'string', token: 'ACLCAT' },
          { name: 'pattern', type: 'pattern', token: 'PATTERN' },
        ],
      },
    ],
    handler: list,
  },
];

export const INTROSPECTION_ROWS: readonly CommandRow[] = [
  {
    name: 'command',
    arity: -1,
    ...SERVER,
    tips: ['nondeterministic_output_order'],
    since: '2.8.13',
    summary: 'Get array of command details',
    complexity: 'O(N) where N is the total number of commands',
    subcommands: [...SUBCOMMANDS, helpRow('command', SUBCOMMANDS)],
    handler: (call) => call.reply(allRows().map(infoOf)),
  },
];
