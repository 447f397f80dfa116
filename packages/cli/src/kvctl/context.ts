/** What every command of kvctl has in common: the node to talk to, and how to print. */
import { type Command, Option, typedFlags } from '../command-line.ts';
import { parseDuration } from '../duration.ts';
import { CliError } from '../errors.ts';
import { formatJson } from '../output.ts';
import { suggest } from '../suggest.ts';
import type { Terminal } from '../terminal.ts';
import { type Connection, type ConnectionTarget, connect } from './connection.ts';

export interface CommandContext {
  readonly connection: Connection;
  readonly json: boolean;
  readonly terminal: Terminal;
}

export type Environment = Readonly<Record<string, string | undefined>>;
type Flags = Readonly<Record<string, unknown>>;

/** Variables that stand for flags; a flag wins. */
const VARIABLES = { KVCTL_HOST: 'host', KVCTL_PORT: 'port', KVCTL_PASSWORD: 'password' } as const;

/** Flags that may stand before or behind the command's name. */
export function addCommonFlags(command: Command): Command {
  return command
    .addOption(new Option('-h, --host <host>', 'node to talk to (KVCTL_HOST; default: 127.0.0.1)'))
    .addOption(new Option('-p, --port <port>', 'its port for Redis clients (KVCTL_PORT; default: 7379)'))
    .addOption(new Option('--password <password>', 'of the cluster (better: KVCTL_PASSWORD, which ps does not show)'))
    .addOption(new Option('--timeout <duration>', 'longest wait for an answer (default: 5s)'))
    .addOption(new Option('--json', 'print JSON, one line for each thing'));
}

/** Connects as flags and environment say, runs the command, and closes the connection however it ends. */
export async function withConnection(
  command: Command,
  { terminal, environment }: { readonly terminal: Terminal; readonly environment: Environment },
  run: (context: CommandContext) => Promise<number>,
): Promise<void> {
  const flags = typedFlags(command);
  const connection = await connect(targetOf(flags, environment));
  try {
    terminal.exitCode = await run({ connection, json: flags['json'] === true, terminal });
  } finally {
    connection.close();
  }
}

export function targetOf(flags: Flags, environment: Environment): ConnectionTarget {
  refuseUnknownVariables(environment);
  const { text: host } = settingOf('KVCTL_HOST', flags, environment, '127.0.0.1');
  const { text: port, source } = settingOf('KVCTL_PORT', flags, environment, '7379');
  const portNumber = /^\d+$/.test(port) ? Number(port) : 0;
  if (portNumber < 1 || portNumber > 65_535) refuse('port', port, source, 'a whole number from 1 to 65535');
  const password = flags['password'] ?? environment['KVCTL_PASSWORD'];
  const timeoutMs = durationFlag(flags, 'timeout', '5s');
  return { host, port: portNumber, timeoutMs, password: password === undefined ? undefined : String(password) };
}

function settingOf(variable: keyof typeof VARIABLES, flags: Flags, environment: Environment, fallback: string) {
  const flag = flags[VARIABLES[variable]];
  if (flag !== undefined) return { text: String(flag), source: `the flag --${VARIABLES[variable]}` };
  return { text: environment[variable] ?? fallback, source: variable };
}

/** A mistyped variable would otherwise silently ask another cluster. */
function refuseUnknownVariables(environment: Environment): void {
  const unknown = Object.keys(environment).find((name) => name.startsWith('KVCTL_') && !Object.hasOwn(VARIABLES, name));
  if (unknown === undefined) return;
  const close = suggest(unknown, Object.keys(VARIABLES));
  const hint = close === undefined ? `there are ${Object.keys(VARIABLES).join(', ')}` : `did you mean ${close}?`;
  throw new CliError('CLI_BAD_CONFIG', `${unknown} is not a variable of kvctl; ${hint}`);
}

function refuse(name: string, value: unknown, source: string, allowed: string): never {
  throw new CliError('CLI_BAD_CONFIG', `${name} is '${value}' (from ${source}): it must be ${allowed}`);
}

/** Milliseconds, at least one. Throws CliError CLI_BAD_CONFIG. */
export function durationFlag(flags: Flags, name: string, fallback: string): number {
  const text = String(flags[name] ?? fallback);
  const durationMs = parseDuration(text) ?? 0;
  const allowed = 'a duration such as 500ms, 10s or 2m (a plain number is seconds)';
  return durationMs > 0 ? durationMs : refuse(name, text, `the flag --${name}`, allowed);
}

/** A whole number within bounds. Throws CliError CLI_BAD_CONFIG. */
export function numberFlag(flags: Flags, name: string, fallback: number, most: number): number {
  const camelCase = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const text = String(flags[camelCase] ?? fallback);
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  const allowed = `a whole number from 1 to ${most}`;
  return number >= 1 && number <= most ? number : refuse(name, text, `the flag --${name}`, allowed);
}

/** Prints one value: JSON when asked for, else the lines for people. */
export function print(
  { json, terminal }: Pick<CommandContext, 'json' | 'terminal'>,
  value: unknown,
  lines: readonly string[],
): void {
  if (json) terminal.out(formatJson(value));
  else for (const line of lines) terminal.out(line);
}
