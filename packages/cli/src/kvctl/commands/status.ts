import { EXIT_CODES } from '../../exit-codes.ts';
import { type CommandContext, print } from '../context.ts';
import { type ClusterView, findProblems } from '../problems.ts';
import { parseInfo, parseJson, parseMembers, textOf } from '../replies.ts';
import { memberTable } from './members.ts';

/** `kvctl status`: exit code 1 when something is wrong, so that a script need not read. */
export async function runStatus(context: CommandContext): Promise<number> {
  const { connection } = context;
  const info = parseInfo(textOf(await connection.command('INFO')));
  const cluster = parseInfo(textOf(await connection.command('CLUSTER', 'INFO')));
  const members = parseMembers(parseJson(await connection.command('KVD.MEMBERS')));
  const problems = findProblems({ info, cluster, members });
  print(
    context,
    { ok: problems.length === 0, problems, members, cluster, info },
    lines({ info, cluster, members }, problems),
  );
  return problems.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function lines({ members, cluster }: ClusterView, problems: readonly string[]): readonly string[] {
  const alive = members.filter((member) => member.state === 'alive').length;
  const epoch = cluster['cluster_current_epoch'];
  const summary = `${alive} of ${members.length} members alive${epoch === undefined ? '' : `, ring epoch ${epoch}`}`;
  const verdict = problems.length === 0 ? ['all is well'] : problems.map((problem) => `wrong: ${problem}`);
  return [summary, ...memberTable(members), ...verdict];
}
