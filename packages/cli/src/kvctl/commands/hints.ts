import { EXIT_CODES } from '../../exit-codes.ts';
import { formatTable } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';
import { hintsOf } from '../replies.ts';

/** `kvctl hints`: by target, what this node keeps for members that were absent. */
export async function runHints(context: CommandContext): Promise<number> {
  const { connection } = context;
  const hints = hintsOf(await connection.kvd((kvd) => kvd.stats()));
  const members = hints.length === 0 ? [] : await connection.kvd((kvd) => kvd.members());
  const rows = hints.map(([target, slots]) => {
    const member = members.find(({ id }) => id === target);
    return [
      target,
      String(slots),
      member === undefined ? 'no member' : member.reachable ? 'reachable: on their way' : 'not reachable',
    ];
  });
  const table = formatTable([['TARGET', 'SLOTS WITH HINTS', 'MEMBER'], ...rows]);
  print(context, { hintsPending: Object.fromEntries(hints) }, rows.length === 0 ? ['this node keeps no hints'] : table);
  return EXIT_CODES.ok;
}
