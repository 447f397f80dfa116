/** The engines of others: installed on demand into a folder that is no workspace, from a lockfile of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchmarksDirectory } from './places.ts';

const peersDirectory = join(benchmarksDirectory, 'peers');
const INSTALL_TIMEOUT_MS = 180_000;

/** Makes sure that the peers are there. Answers why they are not, for people; `undefined` when they are. */
export function peersProblem(report: (line: string) => void): string | undefined {
  if (isInstalled()) return undefined;
  report('installing the peers into benchmarks/peers (npm ci)');
  // No install scripts: the packages bring their binaries.
  const args = ['ci', '--ignore-scripts', '--workspaces=false', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync('npm', args, { cwd: peersDirectory, encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS });
  if (result.status === 0 && isInstalled()) return undefined;
  const reason = (result.error?.message ?? result.stderr).trim().split('\n')[0] ?? '';
  return `classic-level is missing and could not be installed (${reason}); with a network: npm ci --ignore-scripts in benchmarks/peers`;
}

function isInstalled(): boolean {
  const wanted = versionIn(join(peersDirectory, 'package-lock.json'), 'node_modules/classic-level');
  const installed = versionIn(join(peersDirectory, 'node_modules', '.package-lock.json'), 'node_modules/classic-level');
  return wanted !== undefined && wanted === installed;
}

function versionIn(lockfile: string, name: string): string | undefined {
  if (!existsSync(lockfile)) return undefined;
  const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as { packages: Record<string, { version: string }> };
  return packages[name]?.version;
}
