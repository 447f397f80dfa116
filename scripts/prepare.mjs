// What every script needs first: dependencies installed and packages built, each only when missing or stale.
//
// Plain JavaScript for Node 20, without a dependency: it runs in a fresh clone. Freshness is judged by content stamps kept
// in node_modules, with file times only as the quick way out, so that a checkout that moves times back is noticed too.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootDirectory = fileURLToPath(new URL('..', import.meta.url));
const modulesDirectory = join(rootDirectory, 'node_modules');
const binDirectory = join(modulesDirectory, '.bin');
const installStamp = join(modulesDirectory, '.kvd-install-stamp');
const buildStamp = join(modulesDirectory, '.kvd-build-stamp');

/** Progress goes to stderr: stdout belongs to the program that is run. */
export function say(text) {
  console.error(`[kvd] ${text}`);
}

/** Ends the script with one line that says what to do. */
export function fail(text) {
  say(text);
  process.exit(1);
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Path, size and time of every file and folder below these paths, hashed: a removed file changes it as well. */
function fingerprint(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    hash.update(`${relative(rootDirectory, path)} `);
    if (!stat.isDirectory()) hash.update(`${stat.size} ${stat.mtimeMs}\n`);
    else for (const name of readdirSync(path).sort()) visit(join(path, name));
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

function manifestsDigest() {
  const hash = createHash('sha256');
  const manifests = packageDirectories().map((directory) => join(directory, 'package.json'));
  for (const path of [join(rootDirectory, 'package-lock.json'), join(rootDirectory, 'package.json'), ...manifests]) {
    hash.update(readText(path) ?? '').update('\0');
  }
  return hash.digest('hex');
}

function packageDirectories() {
  const parent = join(rootDirectory, 'packages');
  const names = readdirSync(parent).sort();
  return names.map((name) => join(parent, name)).filter((directory) => existsSync(join(directory, 'package.json')));
}

function isInstalled() {
  const installed = statSync(join(modulesDirectory, '.package-lock.json'), { throwIfNoEntry: false });
  if (installed === undefined) return false;
  const stamp = readText(installStamp);
  if (stamp !== undefined) return stamp === manifestsDigest();
  // Installed by hand, never by a script: the time of npm's own record decides.
  return installed.mtimeMs >= statSync(join(rootDirectory, 'package-lock.json')).mtimeMs;
}

/** Runs a program to its end with its output visible. Answers its exit code; a signal counts as a failure. */
export function run(program, args, options = {}) {
  const { env, ...rest } = options;
  const result = spawnSync(program, args, {
    cwd: rootDirectory,
    stdio: 'inherit',
    env: { ...scriptEnvironment(), ...env },
    ...rest,
  });
  if (result.error !== undefined) say(`cannot run ${program}: ${result.error.message}`);
  return result.status ?? 1;
}

/** The workspace's programs first on the path; turbo silent, without a daemon or a call home. */
function scriptEnvironment() {
  return {
    ...process.env,
    PATH: `${binDirectory}:${process.env.PATH ?? ''}`,
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
  };
}

function runNpm(args) {
  // Under `npm start` npm says where it is, so that the same npm is used and no shell is needed.
  const path = process.env.npm_execpath;
  if (path?.endsWith('.js')) return run(process.execPath, [path, ...args]);
  return run('npm', args);
}

export function ensureInstalled() {
  if (isInstalled()) return;
  say('installing dependencies (npm install); the first time this takes a minute or two');
  // `npm install`, not `npm ci`: it repairs what it finds, and removes nothing that still fits.
  if (runNpm(['install', '--loglevel=error']) !== 0) fail('npm install failed; its output above says why');
  writeFileSync(installStamp, manifestsDigest());
}

function buildInputs(directory) {
  return ['src', 'package.json', 'tsconfig.json'].map((name) => join(directory, name));
}

function allBuildInputs() {
  return [join(rootDirectory, 'tsconfig.base.json'), ...packageDirectories().flatMap(buildInputs)];
}

/** Whether each source of the package has its compiled twin. */
function isBuilt(directory) {
  const sources = readdirSync(join(directory, 'src'), { recursive: true, withFileTypes: true });
  return sources.every((entry) => {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) return true;
    const source = relative(join(directory, 'src'), join(entry.parentPath ?? entry.path, entry.name));
    return existsSync(join(directory, 'dist', source.replace(/\.ts$/, '.js')));
  });
}

export function ensureBuilt({ always = false } = {}) {
  const current = fingerprint(allBuildInputs());
  if (!always && readText(buildStamp) === current && packageDirectories().every(isBuilt)) return;
  say('building packages (turbo run build)');
  const status = run(join(binDirectory, 'turbo'), ['run', 'build', '--output-logs=errors-only', '--ui=stream']);
  if (status !== 0) fail('the build failed; the output above says why');
  writeFileSync(buildStamp, current);
}

/**
 * The Node that runs kvd: the workspace's own, or, on a platform for which there is none, the one that runs this script when
 * it is new enough to run TypeScript sources.
 */
export function nodeBinary() {
  const own = join(binDirectory, 'node');
  if (existsSync(own) && spawnSync(own, ['--version']).status === 0) return own;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  return fail(
    `no Node for ${process.platform}-${process.arch} is installed with kvd: put Node 22.18 or newer on the path`,
  );
}

/** Installs if needed and runs a TypeScript entry unbuilt, as `npm run sim` and `npm run bench` do. Ends the process. */
export function runSource(entry, args) {
  ensureInstalled();
  process.exit(run(nodeBinary(), ['--conditions=source', join(rootDirectory, entry), ...args]));
}
