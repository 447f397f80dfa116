import { EXIT_CODES } from '../../exit-codes.ts';
import { type CommandContext, durationFlag, print } from '../context.ts';
import { textOf } from '../replies.ts';

interface Entry {
  readonly key: string;
  readonly value: string;
}

/** `kvctl put KEY VALUE`: SET; with `--context` or `--concurrent` it is KVD.PUT, and the new context is printed. */
export async function runPut(
  command: CommandContext,
  { key, value }: Entry,
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  const { connection } = command;
  const expiry = flags['expire'] === undefined ? undefined : durationFlag(flags, 'expire', '');
  if (flags['context'] === undefined && flags['concurrent'] !== true) {
    const words = expiry === undefined ? [] : ['PX', String(expiry)];
    const reply = textOf(await connection.command('SET', key, value, ...words));
    print(command, { key, result: reply }, [reply]);
    return EXIT_CODES.ok;
  }
  const seen = flags['context'] === undefined ? {} : { context: String(flags['context']) };
  const lifetime = expiry === undefined ? {} : { px: expiry };
  const context = await connection.kvd((kvd) => kvd.put(key, value, { ...seen, ...lifetime }));
  print(command, { key, result: 'OK', context }, ['OK', `context  ${context}`]);
  return EXIT_CODES.ok;
}
