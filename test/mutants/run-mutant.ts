/**
 * Runs the simulator over a copy of the tree with one bug planted. The copy lives in a temporary folder and is removed afterwards;
 * the tree itself is never touched.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Edit, Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The packages whose code a simulated node runs. */
const PACKAGES = ['lsm', 'ring', 'replication', 'node'];

export interface Verdict {
  readonly caught: boolean;
  /** The first seed that failed, and the invariant that it broke. */
  readonly seed: number | undefined;
  readonly invariant: string | undefined;
  readonly output: string;
}

/** Runs the mutant's seeds until one fails. */
export async function runMutant(mutant: Mutant): Promise<Verdict> {
  const directory = mkdtempSync(join(tmpdir(), `kvd-mutant-${mutant.name}-`));
  try {
    copyTree(directory);
    for (const edit of mutant.edits) plant(directory, edit);
    return await run(directory, mutant);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function copyTree(directory: string): void {
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'));
  cpSync(join(ROOT, 'test/simulation'), join(directory, 'test/simulation'), { recursive: true });
  for (const name of PACKAGES) {
    const [from, to] = [join(ROOT, 'packages', name), join(directory, 'packages', name)];
    cpSync(join(from, 'src'), join(to, 'src'), { recursive: true });
    cpSync(join(from, 'package.json'), join(to, 'package.json'));
  }
  linkModules(directory);
}

/** Third-party packages are those of the tree; ours are the copies. */
function linkModules(directory: string): void {
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, '@kvd'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@kvd' && !name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  for (const name of PACKAGES) symlinkSync(join(directory, 'packages', name), join(modules, '@kvd', name));
}

function plant(directory: string, { file, find, replace }: Edit): void {
  const path = join(directory, file);
  const source = readFileSync(path, 'utf8');
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`${file}: the place for the bug occurs ${parts.length - 1} times, must once: ${find.trim()}`);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, parts.join(replace));
}

function run(directory: string, { seeds, foundBy }: Mutant): Promise<Verdict> {
  const main = join(directory, 'test/simulation/main.ts');
  const seedArguments = [
    '--seeds',
    String(seeds.count),
    '--first-seed',
    String(seeds.first),
    '--rerun',
    '0',
    '--stop-at-failure',
  ];
  const child = spawn(process.execPath, ['--conditions=source', main, ...seedArguments], { cwd: directory });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(verdictOf(output, foundBy)));
  });
}

/** Caught is only what an invariant has caught: a mutant that does not even start proves nothing. */
function verdictOf(output: string, foundBy: readonly string[]): Verdict {
  const seed = /^FAILED seed (\d+)/m.exec(output)?.[1];
  const invariant = /^broken\s+(.+)$/m.exec(output)?.[1];
  const caught = invariant !== undefined && foundBy.includes(invariant.split(' ')[0] ?? '');
  return { caught, seed: seed === undefined ? undefined : Number(seed), invariant, output };
}
