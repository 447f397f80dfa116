/**
 * The names of one directory of the memory disk: as they are seen, as they are on the platter, and what was done since.
 * Invariant: `durable` with every operation of the journal applied gives `names`.
 */
import type { MemoryInode } from './memory-inode.ts';

/** One entry of the journal: atomic, as in a real one. A name without an inode is removed. */
export interface NameOperation {
  readonly sequence: number;
  readonly directory: MemoryDirectory;
  readonly edits: readonly { readonly name: string; readonly inode: MemoryInode | undefined }[];
  /** A move between directories takes the old name away only where the new one is. */
  readonly requires: NameOperation | undefined;
  isDurable: boolean;
}

export class MemoryDirectory {
  names = new Map<string, MemoryInode>();
  readonly durable = new Map<string, MemoryInode>();
  /** Directories in this one; making one is durable at once, as `FileSystem.mkdir` promises. */
  readonly directories = new Set<string>();
  #journal: NameOperation[] = [];

  get journal(): readonly NameOperation[] {
    return this.#journal;
  }

  apply(operation: NameOperation): void {
    edit(this.names, operation);
    this.#journal.push(operation);
  }

  sync(): void {
    const journal = this.#journal;
    this.#journal = [];
    for (const operation of journal) {
      const first = operation.requires;
      if (first !== undefined && !first.isDurable) first.directory.sync();
      edit(this.durable, operation);
      operation.isDurable = true;
    }
  }

  /** After a crash: what is on the platter is what there is. */
  restart(): void {
    this.#journal = [];
    this.names = new Map(this.durable);
  }
}

function edit(names: Map<string, MemoryInode>, operation: NameOperation): void {
  for (const { name, inode } of operation.edits) {
    if (inode === undefined) names.delete(name);
    else names.set(name, inode);
  }
}

/**
 * Power loss: decides which journal entries of all directories are on the platter, leaves the directories so, and
 * returns how many entries were dropped. Entries live or die on their own, save that one which touches a name, of which
 * an earlier entry was dropped, is dropped too. Without `random` all are dropped.
 */
export function crashDirectories(directories: Iterable<MemoryDirectory>, random: (() => number) | undefined): number {
  const journals = [...directories].filter((directory) => directory.journal.length > 0);
  const keepShares = new Map(journals.map((directory) => [directory, random === undefined ? 0 : keepShare(random)]));
  const operations = journals.flatMap((directory) => directory.journal).sort((a, b) => a.sequence - b.sequence);
  const blocked = new Map(journals.map((directory) => [directory, new Set<string>()]));
  let dropped = 0;
  for (const operation of operations) {
    const names = blocked.get(operation.directory) as Set<string>;
    const possible = operation.requires?.isDurable !== false && !operation.edits.some(({ name }) => names.has(name));
    const share = keepShares.get(operation.directory) as number;
    if (possible && random !== undefined && random() < share) {
      edit(operation.directory.durable, operation);
      operation.isDurable = true;
    } else {
      dropped++;
      for (const { name } of operation.edits) names.add(name);
    }
  }
  for (const directory of journals) directory.restart();
  return dropped;
}

/** None, all, or half of a directory's journal: as likely each. */
function keepShare(random: () => number): number {
  return Math.floor(random() * 3) / 2;
}
