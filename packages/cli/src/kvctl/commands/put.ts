import { EXIT_CODES } from '../../exit-codes.ts';
import { type CommandContext, print } from '../context.ts';
import { textOf } from '../replies.ts';

/** `kvctl put KEY VALUE`. */
export async function runPut(context: CommandContext, key: string, value: string): Promise<number> {
  const reply = textOf(await context.connection.command('SET', key, value));
  print(context, { key, result: reply }, [reply]);
  return EXIT_CODES.ok;
}
