/** Folders of the benchmarks. Data stays beside the sources: the system's folder for temporary files may be memory. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchmarksDirectory = fileURLToPath(new URL('.', import.meta.url));
export const rootDirectory = fileURLToPath(new URL('..', import.meta.url));
export const resultsDirectory = join(benchmarksDirectory, 'results');
export const profilesDirectory = join(benchmarksDirectory, '.profiles');
const dataDirectory = join(benchmarksDirectory, '.data');

/** An interrupted run leaves nothing behind either. For the main process: one benchmark runs at a time, all data is its own. */
export function removeDataAtExit(): void {
  process.on('exit', () => rmSync(dataDirectory, { recursive: true, force: true, maxRetries: 3 }));
}

/** Runs `body` with an empty directory that is gone afterwards, whatever happened. */
export async function withDirectory<Result>(body: (directory: string) => Promise<Result>): Promise<Result> {
  mkdirSync(dataDirectory, { recursive: true });
  const directory = mkdtempSync(join(dataDirectory, 'run-'));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
