/** The worked examples of docs/formats.md: the lines of hex in the fenced block that follows `<!-- example: NAME -->`. */
import { readFileSync } from 'node:fs';

const FORMATS = new URL('../../../docs/formats.md', import.meta.url);

/** Lines of hex digits, 16 bytes a line; what follows two spaces in a line is comment. */
export function documented(name: string): string[] {
  const text = readFileSync(FORMATS, 'utf8');
  const start = text.indexOf(`<!-- example: ${name} -->`);
  if (start === -1) throw new Error(`docs/formats.md has no example ${name}`);
  const block = text.slice(start).split('```')[1] ?? '';
  return block
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/\s{2,}.*$/, '').replaceAll(' ', ''))
    .filter((line) => line !== '');
}
