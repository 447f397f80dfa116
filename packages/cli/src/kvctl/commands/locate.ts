import { EXIT_CODES } from '../../exit-codes.ts';
import { formatFields } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';
import { parseJson, parseLocation } from '../replies.ts';

/** `kvctl locate KEY`. */
export async function runLocate(context: CommandContext, key: string): Promise<number> {
  const answer = parseJson(await context.connection.command('KVD.LOCATE', key));
  const { slot, primary, row, fallbacks } = parseLocation(answer);
  const lines = formatFields([
    ['slot', String(slot)],
    ['primary', primary],
    ['owners', row.join(', ')],
    ['fallbacks', fallbacks.length === 0 ? 'none' : fallbacks.join(', ')],
  ]);
  print(context, answer, lines);
  return EXIT_CODES.ok;
}
