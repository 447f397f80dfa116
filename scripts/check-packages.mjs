// npm run check:packages: what would be published. Every package is packed, looked at by publint and attw, and installed from
// its tarball by npm alone into an empty folder; there the engine must flush in its worker, and a node must keep a value.
//
// --no-build takes dist as it is.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, nodeBinary, rootDirectory } from './prepare.mjs';

const ENGINE = `
import { Engine } from '@kvd/lsm';
const engine = await Engine.open('./engine');
for (let i = 0; i < 1000; i++) await engine.put(Buffer.from('k' + i), Buffer.from('v' + i), { durability: 'memory' });
await engine.flush();
const { background } = engine.stats();
await engine.close();
if (background.flushes < 1 || background.lastThreadId === 0) throw new Error('no worker has flushed: ' + JSON.stringify(background));
`;
const READY_MS = 15_000;

if (!process.argv.includes('--no-build')) {
  ensureInstalled();
  ensureBuilt({ always: true });
}
const node = nodeBinary();
const folder = mkdtempSync(join(tmpdir(), 'kvd-packages-'));
try {
  const tarballs = pack();
  for (const tarball of tarballs) lint(tarball);
  install(tarballs);
  step('a flush in the worker', node, ['engine.mjs'], join(folder, 'app'));
  await runNode();
  console.log(`check:packages: ${tarballs.length} packages install and run`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const names = readdirSync(join(rootDirectory, 'packages')).sort();
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  return names.map((name) =>
    join(folder, step(`pack ${name}`, 'npm', pack, join(rootDirectory, 'packages', name)).trim()),
  );
}

function lint(tarball) {
  const tool = (path) => join(rootDirectory, 'node_modules', path);
  step(`publint ${tarball}`, node, [tool('publint/src/cli.js'), tarball, '--strict'], folder);
  // Packages are ES modules only, and say so; who requires one uses import().
  step(
    `attw ${tarball}`,
    node,
    [tool('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'esm-only'],
    folder,
  );
}

function install(tarballs) {
  const app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  writeFileSync(join(app, 'engine.mjs'), ENGINE);
  step('npm install', 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], app);
}

/** One node of the installed program keeps a value and stops cleanly. */
async function runNode() {
  const app = join(folder, 'app');
  const bin = (name) => join(app, 'node_modules/@kvd/cli/bin', `${name}.mjs`);
  const port = await freePort();
  const members = `n1=127.0.0.1:${port}@${port + 1}`;
  const ports = ['--port', `${port}`, '--peer-port', `${port + 1}`, '--admin-port', '0'];
  const kvd = spawn(
    node,
    [bin('kvd'), 'start', '--id', 'n1', '--data', './data', '--initial-members', members, ...ports],
    {
      cwd: app,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => kvd.once('close', resolve));
  try {
    await ready(kvd);
    step('kvctl put', node, [bin('kvctl'), '-p', `${port}`, 'put', 'k', 'v'], app);
    const got = step('kvctl get', node, [bin('kvctl'), '-p', `${port}`, 'get', 'k'], app).trim();
    if (got !== 'v') throw new Error(`kvctl get answered ${got}`);
  } finally {
    kvd.kill('SIGTERM');
  }
  const code = await ended;
  if (code !== 0) throw new Error(`kvd ended with exit code ${code}`);
}

function ready(kvd) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('kvd was not ready in time')), READY_MS);
    kvd.stdout.on('data', (chunk) => {
      if (!String(chunk).includes('ready')) return;
      clearTimeout(late);
      resolve();
    });
    kvd.once('close', (code) => reject(new Error(`kvd ended with exit code ${code}`)));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Runs one program to its end; its output is the answer, and is shown when it fails. */
function step(name, program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (result.status === 0) return result.stdout;
  console.error(`check:packages: ${name} failed\n${result.stdout}${result.stderr}`);
  throw result.error ?? new Error(`${name} failed`);
}
