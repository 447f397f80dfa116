/** The local copy as anti-entropy and handoff see it: ReplicaStore over the replica and the engine. */
import { type Engine, WriteBatch } from '@kvd/lsm';
import {
  addressOfStorageKey,
  FAMILY,
  familyPrefix,
  type Hash128,
  type Hint,
  prefixEnd,
  type ReplicaItem,
  type ReplicaStore,
  recordHash,
  type SlotListing,
  storageKey,
} from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { DotIssuer } from './dot-issuer.ts';
import type { HintStore } from './hint-store.ts';
import type { LeafTable } from './leaf-table.ts';
import type { Replica } from './replica.ts';

const NOTHING = Buffer.alloc(0);

export interface LocalReplicaStoreDependencies {
  readonly engine: Engine;
  readonly replica: Replica;
  readonly leaves: LeafTable;
  readonly hints: HintStore;
  readonly dots: DotIssuer;
  readonly ring: Ring;
  readonly self: string;
  readonly seed: number;
}

export class LocalReplicaStore implements ReplicaStore {
  readonly #deps: LocalReplicaStoreDependencies;

  constructor(dependencies: LocalReplicaStoreDependencies) {
    this.#deps = dependencies;
  }

  merge(items: readonly ReplicaItem[], done: (error?: Error) => void): void {
    let waiting = items.length;
    let failure: Error | undefined;
    if (waiting === 0) done();
    for (const item of items) {
      this.#deps.replica.merge(item.address, item.record, 'sync', (error) => {
        failure ??= error;
        waiting--;
        if (waiting === 0) done(failure);
      });
    }
  }

  read(address: Uint8Array): Uint8Array | undefined {
    return this.#deps.replica.read(address);
  }

  leaf(slot: number, _group: number): Hash128 {
    return this.#deps.leaves.leaf(slot);
  }

  list(
    slot: number,
    range: { readonly after?: Uint8Array; readonly until?: Uint8Array; readonly limit: number },
  ): SlotListing {
    const prefix = familyPrefix({ slot, keyspace: 0, generation: 0 }, FAMILY.records);
    const keys: { address: Buffer; hash: Hash128 }[] = [];
    const cursor = this.#deps.engine.cursor({
      ...(range.after === undefined || range.after.length === 0
        ? { gte: prefix }
        : { gt: storageKey(range.after, FAMILY.records) }),
      ...(range.until === undefined || range.until.length === 0
        ? { lt: prefixEnd(prefix) }
        : { lte: storageKey(range.until, FAMILY.records) }),
    });
    try {
      while (cursor.next()) {
        if (keys.length === range.limit) return { keys, complete: false };
        const address = addressOfStorageKey(cursor.key, FAMILY.records);
        keys.push({ address, hash: recordHash(this.#deps.seed, address, cursor.value) });
      }
      return { keys, complete: true };
    } finally {
      cursor.close();
    }
  }

  hintTargets(): readonly string[] {
    return this.#deps.hints.targets();
  }

  hints(target: string, limit: { readonly count: number; readonly bytes: number }): readonly Hint[] {
    return this.#deps.hints.take(target, limit, (address) => this.#heldOrNothing(address));
  }

  /** A node that is not an owner drops data by this: its tenure of those slots ends. */
  removeHints(hints: readonly Hint[], done: (error?: Error) => void): void {
    const batch = new WriteBatch();
    const slots = this.#deps.hints.remove(batch, hints);
    for (const slot of slots) {
      if (!this.#deps.ring.isOwner(slot, this.#deps.self)) this.#deps.dots.retire(slot, 'drop', batch);
    }
    this.#deps.engine.commit(batch, 'os', (error) => {
      if (error !== undefined) for (const slot of slots) this.#deps.dots.unsaved(slot);
      done(error);
    });
  }

  /** A record that cannot be read goes as no bytes at all: its target refuses that, and the hints behind it go on. */
  #heldOrNothing(address: Uint8Array): Uint8Array {
    try {
      return this.#deps.replica.read(address) ?? NOTHING;
    } catch {
      return NOTHING;
    }
  }
}
