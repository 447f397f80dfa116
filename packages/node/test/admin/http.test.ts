import { expect, test } from 'vitest';
import { type AdminSources, answer, type Phase } from '../../src/admin/http.ts';

const sources = (phase: Phase, failure?: Error): AdminSources => ({
  phase: () => phase,
  failure: () => failure,
  metrics: { contentType: 'text/x', text: async () => 'kvd_up 1\n' },
});
const status = async (phase: Phase, path: string, failure?: Error) =>
  (await answer(sources(phase, failure), 'GET', path)).status;

test('a node is ready while it serves, and healthy unless its engine has failed', async () => {
  const phases: readonly Phase[] = ['starting', 'ready', 'stopping', 'stopped'];
  expect(await Promise.all(phases.map((phase) => status(phase, '/readyz')))).toEqual([503, 200, 503, 503]);
  expect(await Promise.all(phases.map((phase) => status(phase, '/healthz')))).toEqual([200, 200, 200, 200]);
  const failed = new Error('disk');
  expect([await status('ready', '/readyz', failed), await status('ready', '/healthz', failed)]).toEqual([503, 503]);
  expect((await answer(sources('stopping'), 'GET', '/readyz')).body).toBe('stopping\n');
});

test('metrics are told in the form of their library; all else is not there', async () => {
  expect(await answer(sources('ready'), 'GET', '/metrics')).toEqual({
    status: 200,
    contentType: 'text/x',
    body: 'kvd_up 1\n',
  });
  expect(await status('ready', '/')).toBe(404);
  expect((await answer(sources('ready'), 'POST', '/metrics')).status).toBe(405);
});
