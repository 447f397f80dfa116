/**
 * Bugs that a first implementation is likely to have, as changes to the source. The simulator must find each of them; one that it
 * does not find means that it is weaker than it claims. They are applied to copies only (run-mutant.ts).
 *
 * `find` must occur exactly once, so that a mutant never turns into a no-op unseen when the source changes.
 */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** The bug of FAULTS §5. */
  readonly bug: string;
  readonly edits: readonly Edit[];
  /** The invariants that may find it, by their first word: a mutant that breaks anything else is a broken mutant. */
  readonly foundBy: readonly string[];
  /** Where to look: the first seed is known to find it; the others are there for when the source has changed. */
  readonly seeds: { readonly first: number; readonly count: number };
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'fsync-error-ignored',
    bug: 'B5: a sync that failed is taken for one that succeeded, and the write is acknowledged',
    edits: [
      {
        file: 'packages/lsm/src/wal/log-queue.ts',
        find: "    if (error !== undefined && error !== null) {\n      this.#fail(error, 'the sync of the log failed');\n      return;\n    }\n",
        replace: '',
      },
    ],
    foundBy: ['P', 'I1', 'I4'],
    seeds: { first: 1, count: 40 },
  },
  {
    name: 'tenure-kept-after-loss',
    bug: 'B16: a node that has lost the end of its log goes on writing as the same actor',
    edits: [
      {
        file: 'packages/replication/src/tenure.ts',
        find: '    if (reason !== undefined) this.retire(slot, reason);\n',
        replace: '',
      },
      {
        file: 'packages/replication/src/tenure.ts',
        find: '    if (era < this.#era) this.retire(slot, this.#eraReason);\n',
        replace: '',
      },
    ],
    foundBy: ['I4', 'I13'],
    seeds: { first: 20, count: 60 },
  },
  {
    name: 'hint-overwrites',
    bug: 'B19: a delivered hint takes the place of what the owner holds, instead of being merged',
    edits: [
      {
        file: 'packages/node/src/replica/replica.ts',
        find: '  #mergeItem(address: Uint8Array, record: Uint8Array, message: ReplicateMessage, done: (reason: string) => void): void {\n',
        replace:
          '  #isHandoff = false;\n\n' +
          '  #mergeItem(address: Uint8Array, record: Uint8Array, message: ReplicateMessage, done: (reason: string) => void): void {\n' +
          "    this.#isHandoff = message.purpose === 'handoff';\n",
      },
      {
        file: 'packages/node/src/replica/replica.ts',
        find: '    if (owner) this.#mergeInto(batch, address, record);\n',
        replace:
          '    if (owner && this.#isHandoff) this.#putRecord(batch, address, this.read(address), Buffer.from(record));\n' +
          '    else if (owner) this.#mergeInto(batch, address, record);\n',
      },
    ],
    foundBy: ['I13', 'I4'],
    seeds: { first: 1, count: 40 },
  },
  {
    name: 'quorum-counts-twice',
    bug: 'B23: a reply that comes twice counts twice for W',
    edits: [
      {
        file: 'packages/replication/src/quorum.ts',
        find: '  acknowledge(node: NodeId): boolean {\n    const mark = this.#roll.markOf(node);\n    if (mark === undefined || (mark & YES) !== 0) return false;\n',
        replace:
          '  acknowledge(node: NodeId): boolean {\n    const mark = this.#roll.markOf(node);\n    if (mark === undefined) return false;\n    if ((mark & YES) !== 0) return this.#roll.add(node + " again", mark);\n',
      },
      {
        file: 'packages/replication/src/coordinator/write-entry.ts',
        find: "    if (state !== 'sent' && state !== 'lost') return false;\n",
        replace: '',
      },
    ],
    foundBy: ['I1', 'I4'],
    seeds: { first: 28, count: 60 },
  },
  {
    name: 'no-anti-entropy',
    bug: 'replicas that no hint and no read brings together stay apart',
    edits: [
      { file: 'packages/node/src/driver.ts', find: '      this.antiEntropy.tick(now);\n', replace: '' },
      {
        file: 'packages/node/src/driver.ts',
        find: '      this.antiEntropy.memberReturned(node, this.now());\n',
        replace: '',
      },
    ],
    foundBy: ['I11'],
    seeds: { first: 1, count: 20 },
  },
];
