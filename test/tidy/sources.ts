/** Reads the tree for the tidy rules: source files with their imports, and documents with their links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootDirectory = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments; what a rule about code reads. */
  readonly code: string;
  /** Module specifiers of static and dynamic imports and of re-exports. */
  readonly imports: readonly string[];
}

export interface MarkdownFile {
  readonly path: string;
  readonly text: string;
}

const SKIPPED = ['node_modules', 'dist', '.git', '.turbo', 'data', 'coverage'];

/** Files below a folder of the root by ending, sorted; folders that are not ours left out. */
export function listFiles(folder: string, ending: string): readonly string[] {
  const absolute = join(rootDirectory, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.includes(entry.name) ? [] : listFiles(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    });
}

export function readSources(folder: string): readonly SourceFile[] {
  return listFiles(folder, '.ts').map((path) => toSource(path, readFileSync(join(rootDirectory, path), 'utf8')));
}

export function readDocuments(): readonly MarkdownFile[] {
  return listFiles('.', '.md').map((path) => ({ path, text: readFileSync(join(rootDirectory, path), 'utf8') }));
}

export function toSource(path: string, text: string): SourceFile {
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(code) };
}

/** Line comments only where a blank stands before them, so that `https://` in a string stays. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function importsOf(code: string): readonly string[] {
  const statements = code.matchAll(
    /^(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]/gm,
  );
  const calls = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...calls].map((match) => match[1] ?? match[2] ?? '');
}

/** `packages/lsm/src/wal/log.ts` → `lsm`. */
export function packageOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Where a relative import leads, from the root. */
export function resolveImport(path: string, specifier: string): string {
  return relative(rootDirectory, join(rootDirectory, dirname(path), specifier));
}
