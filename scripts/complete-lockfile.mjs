// Adds to package-lock.json the optional platform packages that npm left out of it.
//
// npm writes an entry only for those optional packages whose exact version its registry showed when the lockfile was
// made. A lockfile with holes makes `npm ci` refuse ("Missing: @turbo/darwin-64 from lock file") and leaves other
// platforms without their binaries. This script fills the holes: version always; integrity, os, cpu, libc and engines
// from the registry. Where the exact version is not visible, os, cpu and libc come from the nearest older version, or
// from the package's own name, and integrity is left out: npm then checks it against the registry when it installs.
//
// Run it after every change of a dependency: `node scripts/complete-lockfile.mjs`.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const rootDirectory = fileURLToPath(new URL('..', import.meta.url));

/** Every optional dependency that some entry names and no entry provides: [{ name, version, parent }]. */
export function missingOptionalPackages(packages) {
  const missing = new Map();
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const provided = packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
      if (provided === undefined) missing.set(name, { name, version, parent });
    }
  }
  return [...missing.values()];
}

const OS_WORDS = { darwin: 'darwin', linux: 'linux', win32: 'win32', windows: 'win32', android: 'android' };
const CPU_WORDS = { 64: 'x64', x64: 'x64', arm64: 'arm64', arm: 'arm', ia32: 'ia32' };

/** What a name such as `@biomejs/cli-linux-x64-musl` says of its platform. */
export function platformFromName(name) {
  const words = name.split(/[/-]/);
  const find = (table) => words.filter((word) => Object.hasOwn(table, word)).map((word) => table[word]);
  const platform = { os: find(OS_WORDS), cpu: find(CPU_WORDS) };
  if (platform.os.length !== 1 || platform.cpu.length !== 1) throw new Error(`no platform in the name ${name}`);
  return words.includes('musl') ? { ...platform, libc: ['musl'] } : platform;
}

function npmView(specifier, ...fields) {
  const result = spawnSync('npm', ['view', specifier, ...fields, '--json'], { encoding: 'utf8', cwd: rootDirectory });
  if (result.status !== 0 || result.stdout.trim() === '') return undefined;
  return JSON.parse(result.stdout);
}

function compareVersions(left, right) {
  const [a, b] = [left, right].map((text) => text.split('.').map(Number));
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** The registry's manifest of the exact version, else of the nearest older release without its integrity. */
function manifestFor({ name, version }) {
  const fields = ['os', 'cpu', 'libc', 'engines', 'license', 'dist.integrity'];
  const exact = npmView(`${name}@${version}`, ...fields);
  if (exact !== undefined) return exact;
  const releases = (npmView(name, 'versions') ?? []).filter((release) => /^\d+\.\d+\.\d+$/.test(release));
  const older = releases.filter((release) => compareVersions(release, version) < 0).sort(compareVersions);
  const nearest = older.length === 0 ? undefined : npmView(`${name}@${older.at(-1)}`, ...fields);
  return { ...(nearest ?? platformFromName(name)), 'dist.integrity': undefined };
}

/** The entry in the order of keys that npm itself writes; undefined values vanish in JSON. */
function lockfileEntry({ version, parent }, manifest) {
  return {
    version,
    integrity: manifest['dist.integrity'],
    cpu: manifest.cpu,
    dev: parent.dev,
    libc: manifest.libc,
    license: manifest.license ?? parent.license,
    optional: true,
    os: manifest.os,
    peer: parent.peer,
    engines: manifest.engines ?? undefined,
  };
}

function main() {
  const path = join(rootDirectory, 'package-lock.json');
  const lockfile = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingOptionalPackages(lockfile.packages);
  for (const absent of missing) {
    const manifest = manifestFor(absent);
    lockfile.packages[`node_modules/${absent.name}`] = lockfileEntry(absent, manifest);
    const checked = manifest['dist.integrity'] === undefined ? ' (without integrity: this version is not visible)' : '';
    console.log(`added ${absent.name}@${absent.version}${checked}`);
  }
  const byPath = ([left], [right]) => left.localeCompare(right, 'en');
  lockfile.packages = Object.fromEntries(Object.entries(lockfile.packages).sort(byPath));
  writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
  console.log(missing.length === 0 ? 'package-lock.json is complete' : `${missing.length} entries added`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
