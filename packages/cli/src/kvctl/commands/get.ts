import { CliError } from '../../errors.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { jsonBytes, printable } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';

/** `kvctl get KEY [--local] [--siblings]`. */
export async function runGet(
  context: CommandContext,
  key: string,
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  if (flags['siblings'] === true) return runSiblings(context, key, flags['local'] === true);
  const words = flags['local'] === true ? ['KVD.LOCAL', 'GET', key] : ['GET', key];
  const value = await context.connection.command(...words);
  if (value === null) return notFound(context, key);
  if (!Buffer.isBuffer(value)) throw new CliError('CLI_BAD_REPLY', 'the answer to GET is not a string');
  const { terminal } = context;
  if (context.json || terminal.outBytes === undefined) {
    print(context, { key, found: true, ...jsonBytes(value) }, [value.toString('utf8')]);
  } else terminal.outBytes(value);
  return EXIT_CODES.ok;
}

async function runSiblings(command: CommandContext, key: string, local: boolean): Promise<number> {
  if (local) throw new CliError('CLI_BAD_CONFIG', '--local reads one copy; leave out --siblings or --local');
  const { context, values } = await command.connection.kvd((kvd) => kvd.get(key));
  if (values.length === 0) return notFound(command, key, { context });
  const lines = values.map((value, i) => `value ${i + 1}  ${printable(value.toString('utf8'))}`);
  const advice = values.length === 1 ? [] : [`to leave one: kvctl put ${quoted(key)} VALUE --context ${context}`];
  print(command, { key, found: true, context, values: values.map(jsonBytes) }, [
    ...lines,
    `context  ${context}`,
    ...advice,
  ]);
  return EXIT_CODES.ok;
}

/** As a shell needs it. */
function quoted(word: string): string {
  return /^[\w./:@{}-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Said on stderr, so that `$(kvctl get k)` stays empty. */
export function notFound(context: CommandContext, key: string, more: object = {}): number {
  if (context.json) print(context, { key, found: false, ...more }, []);
  else context.terminal.err(`kvctl: there is no key '${key}'`);
  return EXIT_CODES.notFound;
}
