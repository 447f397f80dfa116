import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `kvd.pid` in the data directory, for `kill $(cat data/node-2/kvd.pid)`. It guards nothing: the engine's lock does, and it is
 * held by the time this file is written, so a second process on the same directory never overwrites it.
 */
export function writePidFile(dataDirectory: string): void {
  writeFileSync(pidFilePath(dataDirectory), `${process.pid}\n`);
}

/** After a clean stop no process has this number for us. After a crash the file stays and is overwritten by the next start. */
export function removePidFile(dataDirectory: string): void {
  rmSync(pidFilePath(dataDirectory), { force: true });
}

function pidFilePath(dataDirectory: string): string {
  return join(dataDirectory, 'kvd.pid');
}
