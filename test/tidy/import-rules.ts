/** Who may import what. Each rule answers with one line for each breach. */
import { packageOf, resolveImport, type SourceFile } from './sources.ts';

/** The arrows of the architecture; there are no others. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  cli: ['node', 'client'],
  node: ['replication', 'ring', 'lsm'],
  replication: ['ring'],
  lsm: [],
  ring: [],
  client: [],
};

/** The only files that may touch clock, chance, sockets, files or the process. */
export const SEAMS: readonly string[] = [
  'packages/lsm/src/file-system/node-directory-lock.ts',
  'packages/lsm/src/file-system/node-file-system.ts',
  'packages/lsm/src/file-system/node-file.ts',
  'packages/lsm/src/node-random.ts',
  'packages/lsm/src/node-timers.ts',
  'packages/lsm/src/task-runner/worker-runner.ts',
  'packages/lsm/src/task-runner/worker.ts',
  'packages/node/src/runtime/node-clock.ts',
  'packages/node/src/runtime/node-http.ts',
  'packages/node/src/runtime/node-log.ts',
  'packages/node/src/runtime/node-mac.ts',
  'packages/node/src/runtime/node-network.ts',
  'packages/node/src/runtime/node-random.ts',
  'packages/node/src/runtime/node-timers.ts',
];

/** Parts of Node that compute and touch nothing. */
const PURE_BUILTINS = ['node:assert', 'node:buffer', 'node:path', 'node:util', 'node:zlib'];

const FORBIDDEN_GLOBALS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bDate\.now\b|\bnew Date\b|\bDate\(/, 'the wall clock'],
  [/\bperformance\.(?:now|timeOrigin)\b|\bprocess\.hrtime\b/, 'the monotonic clock'],
  [/(?<![.\w#])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/, 'a timer'],
  [/\bMath\.random\b|(?<![.\w#])crypto\.\w+/, 'chance'],
  [/(?<![.\w#])process\.\w+/, 'the process'],
  [/(?:await|return|=|void)\s+fetch\(|\bnew (?:WebSocket|Worker)\b/, 'the outside world'],
];

export function checkArrows(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((source) => {
    const from = packageOf(source.path);
    return source.imports.flatMap((specifier) => {
      const to = /^@kvd\/([^/]+)/.exec(specifier)?.[1];
      if (to !== undefined && !ARROWS[from]?.includes(to)) return [`${source.path}: ${from} must not import ${to}`];
      const leaves =
        specifier.startsWith('.') && !resolveImport(source.path, specifier).startsWith(`packages/${from}/src/`);
      return leaves ? [`${source.path}: ${specifier} leads out of the package`] : [];
    });
  });
}

/** Clock, chance, sockets, files and the process only in the seams. The command line is outside the simulated world. */
export function checkSeams(sources: readonly SourceFile[]): string[] {
  const core = sources.filter(({ path }) => packageOf(path) !== 'cli' && !SEAMS.includes(path));
  return core.flatMap((source) => [...impureImports(source), ...impureGlobals(source)]);
}

function impureImports({ path, imports }: SourceFile): string[] {
  const impure = imports.filter((specifier) => specifier.startsWith('node:') && !PURE_BUILTINS.includes(specifier));
  return impure.map((specifier) => `${path}: imports ${specifier} outside the runtime`);
}

function impureGlobals({ path, code }: SourceFile): string[] {
  const found = FORBIDDEN_GLOBALS.flatMap(([pattern, what]) => {
    const match = pattern.exec(code);
    return match === null ? [] : [`${path}: touches ${what} (${match[0]}) outside the runtime`];
  });
  return found;
}

/** The command line starts nodes and reads settings; data is the engine's. */
const CLI_FILE_READERS = ['config-file.ts', 'kvd/dev.ts', 'kvd/pid-file.ts', 'version.ts'];

export function checkCliFiles(sources: readonly SourceFile[]): string[] {
  const allowed = CLI_FILE_READERS.map((name) => `packages/cli/src/${name}`);
  const readers = sources.filter(({ path, imports }) => packageOf(path) === 'cli' && imports.some(isFileSystem));
  return readers.flatMap(({ path }) => (allowed.includes(path) ? [] : [`${path}: the command line touches files`]));
}

function isFileSystem(specifier: string): boolean {
  return /^(?:node:)?fs(?:\/promises)?$/.test(specifier);
}

/** Each library of others stands behind one file of a package, so that it can be replaced there. */
export function checkLibraries(sources: readonly SourceFile[]): string[] {
  const importers = new Map<string, string[]>();
  for (const { path, imports } of sources) {
    for (const specifier of new Set(imports.filter(isLibrary))) {
      const key = `${packageOf(path)}: ${specifier}`;
      importers.set(key, [...(importers.get(key) ?? []), path]);
    }
  }
  const many = [...importers].filter(([, paths]) => paths.length > 1);
  return many.map(([library, paths]) => `${library} is imported by ${paths.join(' and ')}`);
}

function isLibrary(specifier: string): boolean {
  return !/^(?:\.|node:|@kvd\/)/.test(specifier);
}

/** What is imported is declared, so that a published package finds it. */
export function checkDeclared(sources: readonly SourceFile[], declared: (name: string) => readonly string[]): string[] {
  return sources.flatMap(({ path, imports }) => {
    const outside = imports.filter((specifier) => !/^(?:\.|node:)/.test(specifier));
    const missing = outside.filter((specifier) => !declared(packageOf(path)).includes(libraryName(specifier)));
    return missing.map((specifier) => `${path}: ${specifier} is not among the dependencies of its package`);
  });
}

/** `@kvd/lsm/testing` → `@kvd/lsm`. */
function libraryName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
