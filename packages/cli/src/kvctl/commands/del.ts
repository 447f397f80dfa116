import { EXIT_CODES } from '../../exit-codes.ts';
import { type CommandContext, print } from '../context.ts';
import { notFound } from './get.ts';

/** `kvctl del KEY`. */
export async function runDel(context: CommandContext, key: string): Promise<number> {
  const deleted = await context.connection.command('DEL', key);
  if (deleted === 0) return notFound(context, key);
  print(context, { key, found: true }, ['deleted']);
  return EXIT_CODES.ok;
}
