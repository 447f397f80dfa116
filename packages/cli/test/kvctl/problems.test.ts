import { expect, test } from 'vitest';
import { type ClusterView, findProblems } from '../../src/kvctl/problems.ts';
import type { MemberStatus } from '../../src/kvctl/replies.ts';

const well: MemberStatus = {
  id: 'node-1',
  host: '127.0.0.1',
  port: 7379,
  state: 'alive',
  health: 'OK',
  suspectedBy: [],
  reachable: true,
};
const told = (view: ClusterView) => findProblems(view).map(({ problem }) => problem);
const problemsOf = (member: Partial<MemberStatus>) =>
  told({ members: [{ ...well, ...member }], cluster: { cluster_state: 'ok' }, info: {} });

test('a cluster whose members are alive, well and reachable has no problem', () => {
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf({ reachable: undefined })).toEqual([]);
});

test('a member that says that it is ill is a problem although it is alive', () => {
  expect(problemsOf({ health: 'FAILED' })).toEqual(['node-1 says: FAILED']);
});

test('a member that gossip calls alive and no connection reaches is a problem', () => {
  expect(problemsOf({ reachable: false })).toEqual(['node-1 cannot be reached from here']);
});

test('a member that is not alive is one problem, with those who do not hear it', () => {
  expect(problemsOf({ state: 'suspect', suspectedBy: ['node-2'], reachable: false })).toEqual([
    'node-1 is suspect (not heard by node-2)',
  ]);
});

test('a cluster state other than ok, and hints that wait, are problems', () => {
  expect(told({ members: [], cluster: { cluster_state: 'fail' }, info: { hints_pending: '1' } })).toEqual([
    "the cluster's state is fail",
    'writes for absent nodes wait here, in 1 slot (hints)',
  ]);
});

test('slots that no reachable node owns are a problem although the cluster answers', () => {
  const cluster = { cluster_state: 'ok', cluster_slots_fail: '512' };
  expect(told({ members: [], cluster, info: {} })).toEqual(['no owner of 512 slots can be reached from here']);
});

test('every problem says what to do next', () => {
  const members = [
    { ...well, state: 'dead' },
    { ...well, health: 'UNKNOWN', reachable: false },
    { ...well, health: 'FAILED' },
  ];
  const found = findProblems({ members, cluster: { cluster_state: 'fail' }, info: { hints_pending: '2' } });
  expect(found).toHaveLength(6);
  for (const { advice } of found) expect(advice.length).toBeGreaterThan(20);
  expect(found[0]?.advice).toContain('start node-1 again at 127.0.0.1:7379');
});
