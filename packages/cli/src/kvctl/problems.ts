/** What is wrong with a cluster, in sentences: pure, from the answers of one node. */
import type { MemberStatus } from './replies.ts';

export interface ClusterView {
  readonly members: readonly MemberStatus[];
  /** Fields of CLUSTER INFO. */
  readonly cluster: Readonly<Record<string, string>>;
  /** Fields of INFO. */
  readonly info: Readonly<Record<string, string>>;
}

/** Empty when all is well. */
export function findProblems({ members, cluster, info }: ClusterView): readonly string[] {
  const problems = members.flatMap(memberProblems);
  const state = cluster['cluster_state'];
  if (state !== undefined && state !== 'ok') problems.push(`the cluster's state is ${state}`);
  const hints = Number(info['hints_pending'] ?? 0);
  if (hints > 0)
    problems.push(`writes in ${hints} ${hints === 1 ? 'slot' : 'slots'} wait here for absent nodes (hints)`);
  return problems;
}

function memberProblems({ id, state, suspectedBy, health, reachable }: MemberStatus): string[] {
  const problems: string[] = [];
  if (state !== 'alive') {
    const by = suspectedBy.length === 0 ? '' : ` (not heard by ${suspectedBy.join(', ')})`;
    problems.push(`${id} is ${state}${by}`);
  } else if (reachable === false) {
    problems.push(`${id} cannot be reached from here`);
  }
  if (health !== 'OK') problems.push(`${id} says: ${health}`);
  return problems;
}
