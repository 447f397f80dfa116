/** HELP of commands that have subcommands, in the shape of Redis, made from the table. */
import { type RespValue, simple } from '../resp/value.ts';
import type { ArgumentDoc, Call, CommandRow } from './command-row.ts';

/** The row of `<command> HELP`. `subcommands`: the others. */
export function helpRow(command: string, subcommands: readonly CommandRow[]): CommandRow {
  const lines = helpLines(command, subcommands);
  return {
    name: 'help',
    arity: 2,
    flags: ['loading', 'stale'],
    group: subcommands[0]?.group ?? 'server',
    since: '5.0.0',
    summary: 'Show helpful text about the different subcommands',
    complexity: 'O(1)',
    handler: (call: Call) => call.reply(lines),
  };
}

function helpLines(command: string, subcommands: readonly CommandRow[]): readonly RespValue[] {
  const lines = [`${command.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const { name, arguments: docs = [], summary } of subcommands) {
    lines.push([name.toUpperCase(), ...docs.map(usage)].join(' '), `    ${summary}.`);
  }
  lines.push('HELP', '    Print this help.');
  return lines.map(simple);
}

/** An argument as Redis writes it: `<key>`, `[TYPE <type>]`. */
export function usage(doc: ArgumentDoc): string {
  const parts = doc.type === 'pure-token' ? [] : [inner(doc)];
  if (doc.token !== undefined) parts.unshift(doc.token);
  const text = `${parts.join(' ')}${doc.multiple ? ' ...' : ''}`;
  return doc.optional ? `[${text}]` : text;
}

function inner(doc: ArgumentDoc): string {
  if (doc.type === 'block') return (doc.arguments ?? []).map(usage).join(' ');
  if (doc.type === 'oneof') return (doc.arguments ?? []).map(usage).join(' | ');
  return `<${doc.name}>`;
}
