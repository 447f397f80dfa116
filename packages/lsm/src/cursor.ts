/** A synchronous walk over keys in order: what scans inside a process use, and what `iterate` is made of. */
import { LsmError } from './errors.ts';
import type { Health } from './health.ts';
import type { VisibleIterator } from './iterator/visible-iterator.ts';
import type { ReadPath } from './read-path.ts';
import type { Snapshot } from './snapshot.ts';
import type { Tree, TreeView } from './tree.ts';
import { checkBytes } from './write-batch.ts';

export interface RangeOptions {
  /** At or above this key. Of `gte` and `gt` the narrower counts. */
  readonly gte?: Uint8Array | undefined;
  readonly gt?: Uint8Array | undefined;
  /** At or below this key. Of `lte` and `lt` the narrower counts. */
  readonly lte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  /** From the last key to the first. @default false */
  readonly reverse?: boolean;
  /** Entries at most; -1 is no limit. @default -1 */
  readonly limit?: number;
  /** Read from this state. @default the state when the walk begins */
  readonly snapshot?: Snapshot | undefined;
}

export interface CursorDependencies {
  readonly tree: Tree;
  readonly reads: ReadPath;
  readonly health: Health;
  readonly onClosed: (cursor: Cursor) => void;
}

/**
 * Stands before the first entry when it is made. It shows one state of the engine, whatever is written meanwhile, and
 * holds memory and files until it is closed.
 *
 *     while (cursor.next()) use(cursor.key, cursor.value);
 */
export class Cursor implements Disposable {
  readonly #dependencies: CursorDependencies;
  readonly #view: TreeView;
  readonly #walk: VisibleIterator;
  #left: number;
  /** Where `next` goes on: at the start, at a sought key, behind the entry it stands at; or nowhere. */
  #place: 'start' | 'sought' | 'entry' | 'end' = 'start';
  #sought: Buffer | undefined;
  #key: Buffer | undefined;
  #isClosed = false;

  /** Throws TypeError on a bound that is no bytes, RangeError on a limit that is none. */
  constructor(options: RangeOptions, dependencies: CursorDependencies) {
    const { gte, gt, lte, lt, reverse = false, limit = -1, snapshot } = options;
    for (const bound of [gte, gt, lte, lt]) if (bound !== undefined) checkBytes(bound, 'a bound');
    if (!Number.isSafeInteger(limit) || limit < -1)
      throw new RangeError(`limit must be -1 or an integer from 0, found ${limit}`);
    this.#dependencies = dependencies;
    this.#left = limit === -1 ? Number.POSITIVE_INFINITY : limit;
    const { tree, reads } = dependencies;
    this.#view = tree.view(sequenceOf(snapshot, tree));
    try {
      this.#walk = reads.walk(this.#view, { gte, gt, lte, lt, reverse });
    } catch (error) {
      tree.release(this.#view);
      throw error;
    }
  }

  /** The next `next` goes to the first entry, in walking order, at `key` or beyond, within the bounds. */
  seek(key: Uint8Array): void {
    checkBytes(key, 'a key');
    this.#sought = Buffer.from(key);
    this.#place = 'sought';
  }

  /** Moves on; false behind the last entry. Throws LSM_CLOSED, LSM_IO, LSM_CORRUPTION; never skips what it cannot read. */
  next(): boolean {
    this.#dependencies.health.assertReadable();
    if (this.#isClosed) throw new LsmError('LSM_CLOSED', 'the cursor is closed');
    this.#key = undefined;
    const found = this.#left > 0 && this.#move();
    this.#place = found ? 'entry' : 'end';
    if (found) this.#left--;
    return found;
  }

  /** Key of the entry: bytes of your own. Only after `next` answered true. */
  get key(): Buffer {
    this.#assertAtEntry();
    return (this.#key ??= Buffer.from(this.#walk.key));
  }

  /** Value of the entry: bytes of your own. Only after `next` answered true. */
  get value(): Buffer {
    this.#assertAtEntry();
    return this.#walk.value;
  }

  /** Closing twice is fine. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#place = 'end';
    this.#dependencies.tree.release(this.#view);
    this.#dependencies.onClosed(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #move(): boolean {
    switch (this.#place) {
      case 'start':
        return this.#walk.seekToStart();
      case 'sought':
        return this.#walk.seek(this.#sought as Buffer);
      case 'entry':
        return this.#walk.next();
      case 'end':
        return false;
    }
  }

  #assertAtEntry(): void {
    if (this.#place !== 'entry') throw new RangeError('the cursor stands at no entry: call next first');
  }
}

/** Throws LSM_CLOSED when the snapshot was released. */
export function sequenceOf(snapshot: Snapshot | undefined, tree: Tree): number {
  if (snapshot === undefined) return tree.lastSequence;
  if (snapshot.isReleased) throw new LsmError('LSM_CLOSED', 'the snapshot is released');
  return snapshot.sequence;
}
