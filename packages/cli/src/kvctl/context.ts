/** What every command of kvctl has in common: the node to talk to, and how to print. */
import { type Command, Option, typedFlags } from '../command-line.ts';
import { parseDuration } from '../duration.ts';
import { CliError } from '../errors.ts';
import { formatJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { type Connection, type ConnectionTarget, connect } from './connection.ts';

export interface CommandContext {
  readonly connection: Connection;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Flags that may stand before or behind the command's name. */
export function addCommonFlags(command: Command): Command {
  return command
    .addOption(new Option('-h, --host <host>', 'node to talk to (default: 127.0.0.1)'))
    .addOption(new Option('-p, --port <port>', 'its port for Redis clients (default: 7379)'))
    .addOption(new Option('--timeout <duration>', 'longest wait for an answer (default: 5s)'))
    .addOption(new Option('--json', 'print JSON, one line'));
}

/** Connects as the flags say, runs the command, and closes the connection however it ends. */
export async function withConnection(
  command: Command,
  terminal: Terminal,
  run: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const flags = typedFlags(command);
  const connection = await connect(targetOf(flags));
  try {
    terminal.exitCode = await run({ connection, json: flags['json'] === true, terminal });
  } finally {
    connection.close();
  }
}

export function targetOf(flags: Readonly<Record<string, unknown>>): ConnectionTarget {
  const { host = '127.0.0.1', port = '7379', timeout = '5s' } = flags;
  const portNumber = /^\d+$/.test(String(port)) ? Number(port) : 0;
  if (portNumber < 1 || portNumber > 65_535) refuse('port', port, 'a whole number from 1 to 65535');
  const timeoutMs = parseDuration(String(timeout)) ?? 0;
  if (timeoutMs === 0) refuse('timeout', timeout, 'a duration such as 500ms, 10s or 2m (a plain number is seconds)');
  return { host: String(host), port: portNumber, timeoutMs };
}

function refuse(name: string, value: unknown, allowed: string): never {
  throw new CliError('CLI_BAD_CONFIG', `${name} is '${value}' (from the flag --${name}): it must be ${allowed}`);
}

/** Prints one value: JSON when asked for, else the lines for people. */
export function print({ json, terminal }: CommandContext, value: unknown, lines: readonly string[]): void {
  if (json) terminal.out(formatJson(value));
  else for (const line of lines) terminal.out(line);
}
