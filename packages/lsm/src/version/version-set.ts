/**
 * The versions in use and the MANIFEST behind them. The current version is replaced when an edit is on disk, never
 * before; a table file may go when no version that anyone holds names it.
 */
import { strict as assert } from 'node:assert';
import { manifestFileName } from '../file-names.ts';
import type { DirectoryLock, Done, FileSystem } from '../file-system/file-system.ts';
import type { FileRemover } from '../file-remover.ts';
import { switchCurrent } from './current-file.ts';
import { applyEdit, type EngineState, snapshotEdit } from './engine-state.ts';
import { ManifestWriter } from './manifest.ts';
import type { Version } from './version.ts';
import type { VersionEdit } from './version-edit.ts';

/** A MANIFEST is started anew when it is this large and several times its snapshot. */
const MANIFEST_BYTES_MIN = 256 * 1024;
const MANIFEST_GROWTH_MAX = 8;

export interface VersionSetDependencies {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly remover: FileRemover;
  /** Called once no version names the table any more. */
  readonly onTableUnused: (tableNumber: number) => void;
}

export class VersionSet {
  readonly #dependencies: VersionSetDependencies;
  #state: EngineState;
  #nextFileNumber: number;
  #manifest: ManifestWriter | undefined;
  /** Being written, not yet in force. */
  #unfinished: ManifestWriter | undefined;
  #snapshotBytes = 0;
  #busy = false;
  readonly #versionUses = new Map<Version, number>();
  readonly #tableUses = new Map<number, number>();

  /** `state` is what recovery found; the first `apply` writes it to a MANIFEST of its own. */
  constructor(state: EngineState, dependencies: VersionSetDependencies) {
    this.#dependencies = dependencies;
    this.#state = state;
    this.#nextFileNumber = state.nextFileNumber;
    this.retain(state.version);
  }

  get state(): EngineState {
    return this.#state;
  }

  get current(): Version {
    return this.#state.version;
  }

  get manifestNumber(): number {
    return this.#manifest?.number ?? 0;
  }

  /** A number that no file has had. */
  newFileNumber(): number {
    return this.#nextFileNumber++;
  }

  /** Holds the version's files until `release`. */
  retain(version: Version): void {
    const uses = this.#versionUses.get(version) ?? 0;
    this.#versionUses.set(version, uses + 1);
    if (uses > 0) return;
    for (const { number } of version.tables()) this.#tableUses.set(number, (this.#tableUses.get(number) ?? 0) + 1);
  }

  release(version: Version): void {
    const uses = this.#versionUses.get(version) ?? 0;
    assert.ok(uses > 0, 'a version was released more often than it was retained');
    if (uses > 1) {
      this.#versionUses.set(version, uses - 1);
      return;
    }
    this.#versionUses.delete(version);
    for (const { number } of version.tables()) this.#dropTable(number);
  }

  /** Versions that somebody holds, the current one included. */
  get versionsHeld(): number {
    return this.#versionUses.size;
  }

  /**
   * Makes `edit` durable, then current, then calls `done`. One at a time. An error means that the MANIFEST is in doubt:
   * the engine must take no more writes.
   */
  apply(edit: VersionEdit, done: Done): void {
    assert.ok(!this.#busy, 'one MANIFEST edit at a time');
    this.#busy = true;
    const next = applyEdit(this.#state, { ...edit, nextFileNumber: this.#nextFileNumber });
    const finish: Done = (error) => {
      this.#busy = false;
      if (error === undefined) this.#install(next);
      done(error);
    };
    try {
      this.#dependencies.lock.check();
      if (this.#manifest === undefined || this.#isGrown(this.#manifest)) this.#startManifest(next, finish);
      else this.#manifest.append({ ...edit, nextFileNumber: this.#nextFileNumber }, finish);
    } catch (error) {
      finish(error as Error);
    }
  }

  close(): void {
    this.#unfinished?.close();
    this.#manifest?.close();
    this.#unfinished = undefined;
    this.#manifest = undefined;
  }

  #isGrown(manifest: ManifestWriter): boolean {
    return manifest.sizeBytes > Math.max(MANIFEST_BYTES_MIN, this.#snapshotBytes * MANIFEST_GROWTH_MAX);
  }

  #startManifest(next: EngineState, done: Done): void {
    const { fileSystem, directory } = this.#dependencies;
    const number = this.newFileNumber();
    const manifest = new ManifestWriter(fileSystem.open(`${directory}/${manifestFileName(number)}`, 'create'), number);
    this.#unfinished = manifest;
    manifest.append(snapshotEdit({ ...next, nextFileNumber: this.#nextFileNumber }), (error) => {
      let problem = error;
      try {
        if (problem === undefined) {
          switchCurrent(fileSystem, directory, number);
          this.#replaceManifest(manifest);
        }
      } catch (thrown) {
        problem = thrown as Error;
      }
      done(problem);
    });
  }

  /** The new MANIFEST is in force and durable: only now may the old one go. */
  #replaceManifest(manifest: ManifestWriter): void {
    const old = this.#manifest;
    this.#manifest = manifest;
    this.#unfinished = undefined;
    this.#snapshotBytes = manifest.sizeBytes;
    if (old === undefined) return;
    old.close();
    this.#dependencies.remover.remove(manifestFileName(old.number));
  }

  #install(next: EngineState): void {
    const before = this.#state.version;
    this.#state = next;
    if (next.version === before) return;
    this.retain(next.version);
    this.release(before);
  }

  #dropTable(number: number): void {
    const uses = (this.#tableUses.get(number) ?? 0) - 1;
    if (uses > 0) {
      this.#tableUses.set(number, uses);
      return;
    }
    this.#tableUses.delete(number);
    this.#dependencies.onTableUnused(number);
  }
}
