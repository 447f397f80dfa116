import { expect, test } from 'vitest';
import { findProblems } from '../../src/kvctl/problems.ts';
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
const problemsOf = (member: Partial<MemberStatus>) =>
  findProblems({ members: [{ ...well, ...member }], cluster: { cluster_state: 'ok' }, info: {} });

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
  expect(findProblems({ members: [], cluster: { cluster_state: 'fail' }, info: { hints_pending: '1' } })).toEqual([
    "the cluster's state is fail",
    'writes in 1 slot wait here for absent nodes (hints)',
  ]);
});
