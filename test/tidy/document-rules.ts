/** Links of the documents lead somewhere, errors are documented, and comments on defaults tell the truth. */
import { posix } from 'node:path';
import type { MarkdownFile, SourceFile } from './sources.ts';

interface Tree {
  readonly documents: readonly MarkdownFile[];
  exists(path: string): boolean;
}

export function checkLinks({ documents, exists }: Tree): string[] {
  const anchors = new Map(documents.map(({ path, text }) => [path, headingAnchors(text)]));
  return documents.flatMap(({ path, text }) =>
    linksOf(text).flatMap((link) => {
      const [file = '', anchor] = link.split('#', 2);
      const target = file === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(file));
      if (!exists(target)) return [`${path}: ${link} leads nowhere`];
      if (anchor === undefined || !target.endsWith('.md')) return [];
      return anchors.get(target)?.has(anchor) ? [] : [`${path}: ${link}: there is no such heading`];
    }),
  );
}

/** Relative links outside code. */
function linksOf(text: string): readonly string[] {
  const links = [...withoutCode(text).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map((match) => match[1] ?? '');
  return links.filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, '');
}

function withoutFences(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
}

/** Anchors as the usual renderers make them: lower case, punctuation dropped, blanks to hyphens, repeats numbered. */
export function headingAnchors(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const heading of headings(text)) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let repeat = 1; anchors.has(anchor); repeat++) anchor = `${slug}-${repeat}`;
    anchors.add(anchor);
  }
  return anchors;
}

function headings(text: string): readonly string[] {
  return [...withoutFences(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) => match[1] ?? '');
}

/** Every code of every errors.ts has a heading of its own in docs/errors.md, and no heading outlives its code. */
export function checkErrorCodes(errorFiles: readonly SourceFile[], documentation: string): string[] {
  const codes = errorFiles.flatMap(({ code }) => [...code.matchAll(/^\s*\|?.*'([A-Z]+_[A-Z0-9_]+)'/gm)]);
  const known = new Set(codes.map((match) => match[1] ?? ''));
  const written = headings(documentation).map((heading) => heading.replaceAll('`', ''));
  const documented = new Set(written);
  const twice = written.filter((heading, index) => known.has(heading) && written.indexOf(heading) !== index);
  const missing = [...known].filter((code) => !documented.has(code));
  const stale = [...documented].filter((heading) => /^[A-Z]+_[A-Z0-9_]+$/.test(heading) && !known.has(heading));
  return [
    ...missing.map((code) => `docs/errors.md has no heading ${code}`),
    ...stale.map((code) => `docs/errors.md explains ${code}, which no errors.ts has`),
    ...twice.map((code) => `docs/errors.md explains ${code} twice`),
  ];
}

/** Every `@default` of an options file is the value in the defaults object that the file exports. */
export function checkDefaults({ path, text }: SourceFile, exported: Readonly<Record<string, unknown>>): string[] {
  const objects = Object.values(exported).filter((value) => typeof value === 'object' && value !== null);
  return [...text.matchAll(/@default\s+(.+?)\s*\n[\s\S]*?\*\/\s*(?:readonly\s+)?(\w+)\??:/g)].flatMap((match) => {
    const [, written = '', field = ''] = match;
    const holders = objects.filter((object) => Object.hasOwn(object, field));
    if (holders.length === 0) return [`${path}: ${field} has a @default, but no exported object of defaults holds it`];
    const actual = (holders[0] as Readonly<Record<string, unknown>>)[field];
    return actual === parseDefault(written) ? [] : [`${path}: ${field} is documented as ${written}, and is ${actual}`];
  });
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function parseDefault(written: string): unknown {
  const quoted = /^'(.*)'$/.exec(written);
  if (quoted !== null) return quoted[1];
  if (written === 'true' || written === 'false') return written === 'true';
  const [, amount, unit = ''] = /^(-?[\d_.]+)(?:\s*(KiB|MiB|GiB))?$/.exec(written) ?? [];
  return amount === undefined ? written : Number(amount.replaceAll('_', '')) * (UNITS[unit] ?? 1);
}

const LINES_MAX = 400;

export function checkLength({ path, text }: SourceFile): string[] {
  const lines = text.split('\n').length - 1;
  return lines <= LINES_MAX ? [] : [`${path} has ${lines} lines; ${LINES_MAX} are the most`];
}

export function checkUnfinished({ path, text }: SourceFile): string[] {
  const mark = /\b(?:TODO|FIXME|XXX)\b/.exec(text);
  return mark === null ? [] : [`${path} is unfinished: ${mark[0]}`];
}
