/**
 * Removes files that nothing needs any more. Whether that succeeds matters to nobody but the disk: what stays is found
 * superfluous by the next open, so a failure is counted and told, and never stands in anyone's way.
 */
import type { EngineLog } from './engine-log.ts';
import type { FileSystem } from './file-system/file-system.ts';

export class FileRemover {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #log: EngineLog | undefined;
  #failures = 0;

  constructor(fileSystem: FileSystem, directory: string, log: EngineLog | undefined) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#log = log;
  }

  /** Files that could not be removed since open. */
  get failures(): number {
    return this.#failures;
  }

  /** A missing file is fine. `close` is called first, to let go of the file. */
  remove(name: string, close: () => void = () => {}): void {
    try {
      close();
      this.#fileSystem.unlink(`${this.#directory}/${name}`);
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return;
      this.#failures++;
      this.#log?.(`${name} could not be removed: ${(error as Error).message}`, 'warning', error);
    }
  }
}
