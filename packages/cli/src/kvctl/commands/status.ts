import { EXIT_CODES } from '../../exit-codes.ts';
import { type CommandContext, print } from '../context.ts';
import { type ClusterView, findProblems, type Problem } from '../problems.ts';
import { parseInfo, parseJson, parseMembers, textOf } from '../replies.ts';
import { memberTable } from './members.ts';

/** `kvctl status`: exit code 1 when something is wrong, so that a script need not read. */
export async function runStatus(context: CommandContext): Promise<number> {
  const { connection } = context;
  const info = parseInfo(textOf(await connection.command('INFO')));
  const cluster = parseInfo(textOf(await connection.command('CLUSTER', 'INFO')));
  const members = parseMembers(parseJson(await connection.command('KVD.MEMBERS')));
  const view = { info, cluster, members };
  const found = findProblems(view);
  const problems = found.map(({ problem }) => problem);
  const advice = found.map((problem) => problem.advice);
  print(context, { ok: found.length === 0, problems, advice, members, cluster, info }, lines(view, found));
  return found.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function lines({ members, cluster }: ClusterView, problems: readonly Problem[]): readonly string[] {
  const alive = members.filter(({ state, reachable }) => state === 'alive' && reachable !== false).length;
  const epoch = cluster['cluster_current_epoch'];
  const summary = `${alive} of ${members.length} members alive and reachable${epoch === undefined ? '' : `, ring epoch ${epoch}`}`;
  const told = problems.flatMap(({ problem, advice }) => [`wrong: ${problem}`, `  next: ${advice}`]);
  return [summary, ...memberTable(members), ...(told.length === 0 ? ['all is well'] : told)];
}
