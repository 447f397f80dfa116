import { EXIT_CODES } from '../../exit-codes.ts';
import { formatTable } from '../../output.ts';
import { type CommandContext, print } from '../context.ts';
import { type MemberStatus, parseJson, parseMembers } from '../replies.ts';

/** `kvctl members`. */
export async function runMembers(context: CommandContext): Promise<number> {
  const answer = parseJson(await context.connection.command('KVD.MEMBERS'));
  print(context, answer, memberTable(parseMembers(answer)));
  return EXIT_CODES.ok;
}

export function memberTable(members: readonly MemberStatus[]): readonly string[] {
  const rows = members.map(({ id, host, port, state, health, reachable }) => [
    id,
    `${host}:${port}`,
    state,
    reachable === undefined ? '-' : reachable ? 'yes' : 'no',
    health,
  ]);
  return formatTable([['MEMBER', 'ADDRESS', 'STATE', 'REACHABLE', 'HEALTH'], ...rows]);
}
