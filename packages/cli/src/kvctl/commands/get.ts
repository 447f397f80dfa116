import { CliError } from '../../errors.ts';
import { EXIT_CODES } from '../../exit-codes.ts';
import { jsonBytes } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';

/** `kvctl get KEY [--local]`. */
export async function runGet(context: CommandContext, key: string, local: boolean): Promise<number> {
  const words = local ? ['KVD.LOCAL', 'GET', key] : ['GET', key];
  const value = await context.connection.command(...words);
  if (value === null) return notFound(context, key);
  if (!Buffer.isBuffer(value)) throw new CliError('CLI_BAD_REPLY', 'the answer to GET is not a string');
  print(context, { key, found: true, ...jsonBytes(value) }, [value.toString('utf8')]);
  return EXIT_CODES.ok;
}

/** Said on stderr, so that `$(kvctl get k)` stays empty. */
export function notFound(context: CommandContext, key: string): number {
  if (context.json) print(context, { key, found: false }, []);
  else context.terminal.err(`kvctl: there is no key '${key}'`);
  return EXIT_CODES.notFound;
}
