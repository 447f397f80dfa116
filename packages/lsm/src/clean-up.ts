/**
 * Removes what recovery has made superfluous, once the new MANIFEST is in force: older logs and MANIFESTs, temporary
 * files. Tables that no MANIFEST names go to `trash/`, where they stay until the next open.
 */
import { parseFileName, TRASH_DIRECTORY } from './file-names.ts';
import type { FileRemover } from './file-remover.ts';
import type { FileSystem } from './file-system/file-system.ts';

export interface LiveFiles {
  readonly tables: ReadonlySet<number>;
  readonly logNumber: number;
  readonly manifestNumber: number;
}

/** Names that the engine does not make are left alone. */
export function cleanUp(fileSystem: FileSystem, directory: string, remover: FileRemover, live: LiveFiles): void {
  const trash = `${directory}/${TRASH_DIRECTORY}`;
  fileSystem.mkdir(trash);
  for (const name of fileSystem.readdir(trash)) remover.remove(`${TRASH_DIRECTORY}/${name}`);
  for (const name of fileSystem.readdir(directory)) {
    const file = parseFileName(name);
    if (file.type === 'table') {
      if (!live.tables.has(file.number)) fileSystem.rename(`${directory}/${name}`, `${trash}/${name}`);
    } else if (isSuperfluous(file, live)) {
      remover.remove(name);
    }
  }
}

function isSuperfluous(file: ReturnType<typeof parseFileName>, live: LiveFiles): boolean {
  switch (file.type) {
    case 'log':
      return file.number !== live.logNumber;
    case 'manifest':
      return file.number !== live.manifestNumber;
    case 'temporary':
      return true;
    default:
      return false;
  }
}
