/** The command blocks of docs/tasks.md, as they stand there, in their order, against one three-node cluster. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rootDirectory } from '../tidy/sources.ts';
import { DevCluster } from './support/dev-cluster.ts';
import { fromSources } from './support/program.ts';

const text = readFileSync(join(rootDirectory, 'docs/tasks.md'), 'utf8');
const tasks = [...text.matchAll(/^## (\d+\. .*)\n[^#]*?```sh task\n([\s\S]*?)```/gm)].map(([, name, script]) => ({
  name: name ?? '',
  script: script ?? '',
}));
let cluster: DevCluster;
let folder: string;

beforeAll(async () => {
  cluster = await DevCluster.start(3);
  folder = mkdtempSync(join(tmpdir(), 'kvd-tasks-'));
  symlinkSync(cluster.data, join(folder, 'data'));
  for (let tries = 100; (await bash('kvctl status')).exitCode !== 0; tries--) {
    if (tries === 0) throw new Error('the cluster does not get well');
  }
}, 90_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cluster?.stop();
}, 60_000);

/** The ports of the document are those of this cluster; every command must succeed. */
function bash(script: string): Promise<{ readonly exitCode: number | null; readonly printed: string }> {
  const here = script.replace(/-p 73(79|80|81)\b/g, (_, digits) => `-p ${cluster.port + Number(digits) - 79}`);
  const command = [process.execPath, ...fromSources.kvctl].map((word) => `'${word}'`).join(' ');
  const lines = `set -eu\nkvctl() { ${command} "$@"; }\n${here}`;
  const environment = { ...process.env, KVCTL_PORT: String(cluster.port) };
  const child = spawn('bash', ['-c', lines], { cwd: folder, env: environment });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  child.stderr.on('data', (chunk) => (printed += chunk));
  return new Promise((resolve) => child.on('close', (exitCode) => resolve({ exitCode, printed })));
}

test('there are twenty tasks, and all but the one that needs another cluster are run', () => {
  expect(text.match(/^## \d+\. /gm)).toHaveLength(20);
  expect(tasks).toHaveLength(19);
});

test.each(tasks)(
  '$name',
  async ({ script }) => {
    const { exitCode, printed } = await bash(script);
    expect([exitCode, printed]).toEqual([0, expect.any(String)]);
  },
  60_000,
);
