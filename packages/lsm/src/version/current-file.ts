/**
 * CURRENT names the MANIFEST in force: `MANIFEST-000007 89abcdef\n`, the name and its CRC-32 in hex. It is replaced by
 * rename, in an order that leaves, whatever the moment of a power failure, the old MANIFEST or the new one in force:
 *
 *   MANIFEST synced → directory synced → CURRENT.tmp synced → renamed → directory synced → old MANIFEST removed
 */
import { crc32 } from '../checksum.ts';
import { LsmError } from '../errors.ts';
import { CURRENT_FILE, CURRENT_TEMPORARY_FILE, manifestFileName, parseFileName } from '../file-names.ts';
import type { FileSystem } from '../file-system/file-system.ts';

export function encodeCurrent(manifestNumber: number): Buffer {
  const name = manifestFileName(manifestNumber);
  return Buffer.from(`${name} ${crc32(Buffer.from(name)).toString(16).padStart(8, '0')}\n`);
}

/** The number of the MANIFEST; throws LSM_CORRUPTION (kind `manifest`) on anything but what `encodeCurrent` makes. */
export function decodeCurrent(bytes: Buffer, file: string): number {
  const name = parseFileName(bytes.toString('latin1').split(' ')[0] ?? '');
  if (name.type === 'manifest' && encodeCurrent(name.number).equals(bytes)) return name.number;
  throw new LsmError('LSM_CORRUPTION', `${file} names no MANIFEST`, { file, offset: 0, kind: 'manifest' });
}

/** Puts a MANIFEST in force that is already synced. Throws what the file system throws: nothing is then known. */
export function switchCurrent(fileSystem: FileSystem, directory: string, manifestNumber: number): void {
  fileSystem.syncDirectory(directory);
  const temporary = `${directory}/${CURRENT_TEMPORARY_FILE}`;
  if (fileSystem.size(temporary) !== undefined) fileSystem.unlink(temporary);
  const file = fileSystem.open(temporary, 'create');
  try {
    file.write(encodeCurrent(manifestNumber), 0);
    file.syncNow();
  } finally {
    file.close();
  }
  fileSystem.rename(temporary, `${directory}/${CURRENT_FILE}`);
  fileSystem.syncDirectory(directory);
}
