import { EXIT_CODES } from '../../exit-codes.ts';
import { type CommandContext, print } from '../context.ts';
import { notFound } from './get.ts';

/** `kvctl del KEY`: DEL; with `--context` it is KVD.DEL, which deletes what the token's reader has seen. */
export async function runDel(
  command: CommandContext,
  key: string,
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { connection } = command;
  if (flags['context'] !== undefined) {
    const context = await connection.kvd((kvd) => kvd.del(key, { context: String(flags['context']) }));
    print(command, { key, result: 'OK', context }, ['OK', `context  ${context}`]);
    return EXIT_CODES.ok;
  }
  if ((await connection.command('DEL', key)) === 0) return notFound(command, key);
  print(command, { key, found: true }, ['deleted']);
  return EXIT_CODES.ok;
}
