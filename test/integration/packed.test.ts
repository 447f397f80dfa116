/**
 * What ships: the packages as `npm pack` makes them, from dist, in a folder that knows nothing of this tree. It finds what
 * sources cannot show: a file missing from a package, a path that is right in src only, a worker that is not found.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DevCluster } from './support/dev-cluster.ts';
import { type Installation, run } from './support/program.ts';

const rootDirectory = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kvd-packed-'));
const modules = join(folder, 'node_modules');
const bin = (name: string) => join(modules, '@kvd/cli/bin', `${name}.mjs`);
const installation: Installation = { kvd: [bin('kvd')], kvctl: [bin('kvctl')] };

/** The libraries of others are linked; ours are unpacked beside them. */
function install(): void {
  mkdirSync(join(modules, '@kvd'), { recursive: true });
  for (const name of readdirSync(join(rootDirectory, 'node_modules'))) {
    if (name !== '@kvd' && !name.startsWith('.'))
      symlinkSync(join(rootDirectory, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(rootDirectory, 'packages'))) unpack(name);
}

function unpack(name: string): void {
  const from = join(rootDirectory, 'packages', name);
  const options = { cwd: from, encoding: 'utf8', stdio: 'pipe' } as const;
  const archive = execFileSync(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder],
    options,
  ).trim();
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', folder]);
  execFileSync('mv', [join(folder, 'package'), join(modules, '@kvd', name)]);
}

beforeAll(install, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every package ships what it compiled and nothing of its sources', () => {
  for (const name of readdirSync(join(rootDirectory, 'packages'))) {
    const files = readdirSync(join(modules, '@kvd', name));
    expect(files).toContain('dist');
    expect(files).not.toContain('src');
    expect(files).not.toContain('test');
  }
});

test('the packed programs run a cluster that keeps a value', async () => {
  expect(await run([...installation.kvd, '--version'])).toMatchObject({ code: 0, output: '0.1.0' });
  const cluster = await DevCluster.start(3, [], installation);
  expect(await cluster.kvctl(1, 'put', 'k', 'v')).toMatchObject({ code: 0, output: 'OK' });
  expect(await cluster.kvctl(2, 'get', 'k')).toMatchObject({ code: 0, output: 'v' });
  await cluster.stop();
}, 60_000);
