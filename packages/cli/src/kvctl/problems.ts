/** What is wrong with a cluster and what to do about it, in sentences: pure, from the answers of one node. */
import type { MemberStatus } from './replies.ts';

export interface ClusterView {
  readonly members: readonly MemberStatus[];
  /** Fields of CLUSTER INFO. */
  readonly cluster: Readonly<Record<string, string>>;
  /** Fields of INFO. */
  readonly info: Readonly<Record<string, string>>;
}

export interface Problem {
  readonly problem: string;
  readonly advice: string;
}

/** Empty when all is well. */
export function findProblems(view: ClusterView): readonly Problem[] {
  return [...view.members.flatMap(memberProblems), ...clusterProblems(view), ...hintProblems(view)];
}

function memberProblems({ id, host, port, state, suspectedBy, health, reachable }: MemberStatus): Problem[] {
  const problems: Problem[] = [];
  const look = `kvctl -h ${host} -p ${port} status`;
  if (state !== 'alive') {
    const by = suspectedBy.length === 0 ? '' : ` (not heard by ${suspectedBy.join(', ')})`;
    const advice = `start ${id} again at ${host}:${port}; until then others stand in for it and keep its writes as hints`;
    problems.push({ problem: `${id} is ${state}${by}`, advice });
  } else if (reachable === false) {
    const advice = `others hear it: look at the network between this node and ${host}:${port}; "${look}" asks it`;
    problems.push({ problem: `${id} cannot be reached from here`, advice });
  }
  if (health === 'OK') return problems;
  if (health === 'UNKNOWN') {
    const advice = `wait a moment after a start; then "${look}" asks it`;
    return [...problems, { problem: `${id} has not said how it is`, advice }];
  }
  return [...problems, { problem: `${id} says: ${health}`, advice: `its log says more; "${look}" asks it` }];
}

function clusterProblems({ cluster }: ClusterView): Problem[] {
  const state = cluster['cluster_state'];
  if (state !== undefined && state !== 'ok') {
    const advice =
      'too few nodes are reachable for R and W: start the missing ones; until then KVD.WITH R 1 reads what is there';
    return [{ problem: `the cluster's state is ${state}`, advice }];
  }
  const lost = Number(cluster['cluster_slots_fail'] ?? 0);
  if (!(lost > 0)) return [];
  const advice = 'start one of their owners again: "kvctl ring --runs" names them';
  return [{ problem: `no owner of ${lost} slots can be reached from here`, advice }];
}

function hintProblems({ info }: ClusterView): Problem[] {
  const slots = Number(info['hints_pending'] ?? 0);
  if (!(slots > 0)) return [];
  const problem = `writes for absent nodes wait here, in ${slots} ${slots === 1 ? 'slot' : 'slots'} (hints)`;
  return [{ problem, advice: 'nothing: they are handed over once their owner is back; "kvctl hints" lists them' }];
}
