/**
 * Rules of the house that no compiler knows. Every rule is a function from files to breaches: first it is shown to find a
 * planted breach, then the tree must have none.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  checkDefaults,
  checkErrorCodes,
  checkLength,
  checkLinks,
  checkUnfinished,
  headingAnchors,
} from './tidy/document-rules.ts';
import { checkArrows, checkCliFiles, checkDeclared, checkLibraries, checkSeams, SEAMS } from './tidy/import-rules.ts';
import { checkLockfile, type Lockfile } from './tidy/lockfile-rules.ts';
import { readDocuments, readSources, rootDirectory, toSource } from './tidy/sources.ts';

const sources = readSources('packages').filter(({ path }) => path.split('/')[2] === 'src');
const exists = (path: string) => existsSync(join(rootDirectory, path));
const readText = (path: string) => readFileSync(join(rootDirectory, path), 'utf8');

test('the rules see the tree', () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.some(({ imports }) => imports.includes('@kvd/ring'))).toBe(true);
});

describe('imports', () => {
  test('packages import along the arrows of the architecture only', () => {
    const planted = [
      toSource('packages/lsm/src/a.ts', "import type { Ring } from '@kvd/ring';\n"),
      toSource('packages/ring/src/b.ts', "import {\n  x,\n} from '../../lsm/src/x.ts';\n"),
      toSource('packages/cli/src/c.ts', "export { y } from '@kvd/lsm';\n"),
      toSource('packages/cli/src/d.ts', "await import('@kvd/ring');\n"),
    ];
    expect(checkArrows(planted)).toHaveLength(4);
    expect(checkArrows([toSource('packages/node/src/e.ts', "import { y } from '@kvd/lsm';\n")])).toEqual([]);
    expect(checkArrows(sources)).toEqual([]);
  });

  test('clock, chance, sockets, files and the process are touched in the runtime only', () => {
    const breaches = [
      'const t = Date.now();',
      'setTimeout(f, 1);',
      'const r = Math.random();',
      'process.exit();',
      "import fs from 'node:fs';",
      "import { randomBytes } from 'node:crypto';",
      'const u = crypto.randomUUID();',
      'const m = performance.now();',
    ];
    for (const text of breaches) expect(checkSeams([toSource('packages/ring/src/a.ts', text)])).toHaveLength(1);
    const harmless = '// Date.now() is forbidden.\nthis.process.run(); timers.setTimeout(f); /* setTimeout(f) */';
    expect(checkSeams([toSource('packages/ring/src/a.ts', harmless)])).toEqual([]);
    expect(checkSeams(sources)).toEqual([]);
  });

  test('the list of files that may touch the world names no file that is gone', () => {
    expect(SEAMS.filter((path) => !exists(path))).toEqual([]);
  });

  test('the command line touches files for settings and its pid, not for data', () => {
    expect(checkCliFiles([toSource('packages/cli/src/kvctl/a.ts', "import fs from 'node:fs';")])).toHaveLength(1);
    expect(checkCliFiles(sources)).toEqual([]);
  });

  test('a library of others is imported by one file of a package', () => {
    const twice = ['a', 'b'].map((name) => toSource(`packages/lsm/src/${name}.ts`, "import x from 'snappy';\n"));
    expect(checkLibraries(twice)).toHaveLength(1);
    expect(checkLibraries(sources)).toEqual([]);
  });

  test('what a package imports is among its dependencies', () => {
    const declared = (name: string) => {
      const { dependencies, peerDependencies } = JSON.parse(readText(`packages/${name}/package.json`));
      return Object.keys({ ...dependencies, ...peerDependencies });
    };
    expect(checkDeclared([toSource('packages/lsm/src/a.ts', "import x from 'left-pad';")], declared)).toHaveLength(1);
    expect(checkDeclared(sources, declared)).toEqual([]);
  });
});

describe('documents', () => {
  const documents = readDocuments();

  test('relative links and anchors lead somewhere', () => {
    const text =
      '# A heading, `coded`\n[a](#a-heading-coded) [b](#no) [c](gone.md) [d](https://x.y/z)\n```\n[e](f)\n```\n';
    const planted = { documents: [{ path: 'a.md', text }], exists: (path: string) => path === 'a.md' };
    expect(checkLinks(planted)).toEqual(['a.md: #no: there is no such heading', 'a.md: gone.md leads nowhere']);
    expect(checkLinks({ documents, exists })).toEqual([]);
  });

  test('equal headings get numbered anchors', () => {
    expect([...headingAnchors('# One\n## One\n')]).toEqual(['one', 'one-1']);
  });

  test('every error code has its heading in docs/errors.md', () => {
    const planted = toSource('a.ts', "export type ACode =\n  | 'A_B' // why\n  | 'A_C';\n");
    expect(checkErrorCodes([planted], '## `A_B`\n## A_D\n## A_B\n')).toEqual([
      'docs/errors.md has no heading A_C',
      'docs/errors.md explains A_D, which no errors.ts has',
      'docs/errors.md explains A_B twice',
    ]);
    const errorFiles = sources.filter(({ path }) => path.endsWith('/errors.ts'));
    expect(errorFiles).toHaveLength(5);
    expect(checkErrorCodes(errorFiles, readText('docs/errors.md'))).toEqual([]);
  });
});

describe('sources', () => {
  test('a documented default is the default', async () => {
    const text =
      '/**\n   * @default 4 KiB\n   */\n  readonly size?: number;\n  /** @default 1\n */\n  gone?: number;\n';
    const planted = toSource('options.ts', text);
    expect(checkDefaults(planted, { DEFAULTS: { size: 4096, gone: 1 } })).toEqual([]);
    expect(checkDefaults(planted, { DEFAULTS: { size: 4000 } })).toHaveLength(2);
    const files = sources.filter(
      ({ path, text }) => /\/(?:options|config)\.ts$/.test(path) && text.includes('@default'),
    );
    for (const source of files) {
      const exported = await import(join(rootDirectory, source.path));
      expect(checkDefaults(source, exported)).toEqual([]);
    }
    expect(files.length).toBeGreaterThan(0);
  });

  test('no file is longer than 400 lines', () => {
    expect(checkLength(toSource('a.ts', '\n'.repeat(401)))).toHaveLength(1);
    expect(sources.flatMap(checkLength)).toEqual([]);
  });

  test('nothing is left to do later', () => {
    expect(checkUnfinished(toSource('a.ts', '// TODO: later'))).toHaveLength(1);
    expect(sources.flatMap(checkUnfinished)).toEqual([]);
  });
});

test('the lockfile fits the manifests and knows the packages of every platform', () => {
  const planted: Lockfile = { packages: { '': { optionalDependencies: { 'a-darwin': '1' } }, 'packages/b': {} } };
  expect(checkLockfile(planted, { 'packages/b': { dependencies: { c: '1' } } })).toHaveLength(2);
  const paths = readdirSync(join(rootDirectory, 'packages')).map((name) => `packages/${name}`);
  const manifests = paths.map((path) => [path, JSON.parse(readText(`${path}/package.json`))]);
  expect(checkLockfile(JSON.parse(readText('package-lock.json')), Object.fromEntries(manifests))).toEqual([]);
});
