/**
 * Names of the files in an engine's directory. A number is issued once, ever, for tables, logs and MANIFESTs alike, so
 * a name never comes back with another meaning (docs/formats.md "Conventions").
 */

export const CURRENT_FILE = 'CURRENT';
export const CURRENT_TEMPORARY_FILE = 'CURRENT.tmp';
/** Unreferenced tables found at open are moved here, and removed at the open after. */
export const TRASH_DIRECTORY = 'trash';

export type FileName =
  | { readonly type: 'table' | 'log' | 'manifest'; readonly number: number }
  | { readonly type: 'current' | 'temporary' | 'unknown' };

export function tableFileName(number: number): string {
  return `${pad(number)}.sst`;
}

export function logFileName(number: number): string {
  return `${pad(number)}.log`;
}

export function manifestFileName(number: number): string {
  return `MANIFEST-${pad(number)}`;
}

/** What a name stands for. Names that the engine does not make are `unknown`, and are left alone. */
export function parseFileName(name: string): FileName {
  if (name === CURRENT_FILE) return { type: 'current' };
  if (name.endsWith('.tmp')) return { type: 'temporary' };
  const manifest = /^MANIFEST-(\d{6,16})$/.exec(name);
  if (manifest !== null) return numbered('manifest', manifest[1] as string, name);
  const numberedFile = /^(\d{6,16})\.(sst|log)$/.exec(name);
  if (numberedFile === null) return { type: 'unknown' };
  return numbered(numberedFile[2] === 'sst' ? 'table' : 'log', numberedFile[1] as string, name);
}

function numbered(type: 'table' | 'log' | 'manifest', digits: string, name: string): FileName {
  const number = Number(digits);
  const canonical = { table: tableFileName, log: logFileName, manifest: manifestFileName }[type](number);
  return canonical === name ? { type, number } : { type: 'unknown' };
}

function pad(number: number): string {
  return String(number).padStart(6, '0');
}
