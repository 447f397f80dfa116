/**
 * The local copy: takes operations, never get-then-put. `coordinate` reads the local record, issues a dot, merges and stores;
 * `replicate` merges the states of others; `fetch` answers reads.
 *
 * Invariants
 * - Between reading a record and its insertion in the memtable there is one synchronous section: no two writers build on the
 *   same base.
 * - An answer that says "stored" comes after everything that it stands for is as durable as was asked, also when the merge
 *   changed nothing (what is held may itself still be on its way to the disk).
 * - A record that cannot be read is never taken for absent.
 */
import { type Durability, type Engine, WriteBatch } from '@kvd/lsm';
import {
  applyWrite,
  type CoordinateRequest,
  type DottedRecord,
  decodeRecord,
  encodeRecord,
  FAMILY,
  type FailureReason,
  type FetchReplyMessage,
  mergeRecords,
  type ReplicateMessage,
  ReplicationError,
  recordHash,
  slotOfAddress,
  storageKey,
  VersionVector,
} from '@kvd/replication';
import type { Ring } from '@kvd/ring';
import type { DotIssuer } from './dot-issuer.ts';
import type { HintStore } from './hint-store.ts';
import type { LeafTable } from './leaf-table.ts';
import type { SlotCoverage } from './slot-coverage.ts';

const NOTHING = Buffer.alloc(0);

export interface ReplicaDependencies {
  readonly engine: Engine;
  readonly self: string;
  readonly ring: Ring;
  readonly dots: DotIssuer;
  readonly hints: HintStore;
  readonly leaves: LeafTable;
  readonly coverage: SlotCoverage;
  /** Seed of record hashes, from the cluster id. */
  readonly seed: number;
  /** This node may lack what it has acknowledged, until it has compared with the other owners. */
  readonly doubt: boolean;
  readonly probe: (name: string) => void;
}

export interface CoordinateCallbacks {
  merged(state: Uint8Array, context: Uint8Array): void;
  failed(reason: FailureReason, detail: string): void;
  stored(error?: Error): void;
}

export class Replica {
  readonly counters = { coordinated: 0, merges: 0, mergesWithoutChange: 0, fetches: 0, hintsStored: 0, refused: 0 };
  readonly #deps: ReplicaDependencies;
  readonly #engine: Engine;
  readonly #batch = new WriteBatch();

  constructor(dependencies: ReplicaDependencies) {
    this.#deps = dependencies;
    this.#engine = dependencies.engine;
  }

  /** Runs one write here; see CoordinateRequest. */
  coordinate(request: CoordinateRequest, callbacks: CoordinateCallbacks): void {
    this.#deps.dots.whenReady((error) => {
      if (error !== undefined) callbacks.failed('engine', error.message);
      else this.#coordinateNow(request, callbacks);
    });
  }

  /** Merges what another node sends. `done` once it is as durable as asked, or with the reason of a refusal. */
  replicate(message: ReplicateMessage, done: (reason: string) => void): void {
    let waiting = message.items.length;
    let refusal = '';
    const one = (reason: string): void => {
      if (reason !== '') refusal = reason;
      waiting--;
      if (waiting === 0) done(refusal);
    };
    if (waiting === 0) done('');
    for (const item of message.items) this.#mergeItem(item.address, item.record, message, one);
  }

  /** Records for a reading coordinator: from the row's store, or from hints when this node is a fallback. */
  fetch(addresses: readonly Uint8Array[]): Omit<FetchReplyMessage, 'kind' | 'stream'> {
    this.counters.fetches++;
    const slot = addresses[0] === undefined ? 0 : slotOfAddress(addresses[0]);
    const owner = this.#isOwner(slot);
    try {
      const records = addresses.map((address) => (owner ? this.read(address) : this.#fromHints(address)));
      return { status: 'ok', reason: '', role: owner ? 'owner' : 'fallback', doubt: this.#doubt(slot), records };
    } catch {
      this.#retire(slot);
      return { status: 'refused', reason: 'corrupt', role: owner ? 'owner' : 'fallback', doubt: true, records: [] };
    }
  }

  /**
   * Whether a plain write must first look at what other replicas hold: this node is not the first of the row, or it has not
   * compared the slot since it started and this record bears no dot of its present tenure.
   */
  needsPreRead(address: Uint8Array, first: boolean): boolean {
    const slot = slotOfAddress(address);
    if (!first) return true;
    if (this.#deps.coverage.covered(slot)) return false;
    try {
      const held = this.#base(address, true);
      return held === undefined || !this.#deps.dots.hasIssued(slot, held.context);
    } catch {
      return true;
    }
  }

  /** The record held here as an owner. Throws what the engine throws. */
  read(address: Uint8Array): Buffer | undefined {
    return this.#engine.getSync(storageKey(address, FAMILY.records));
  }

  /** Merges an item into this node's own records. */
  merge(address: Uint8Array, record: Uint8Array, durability: Durability, done: (error?: Error) => void): void {
    const batch = this.#batch.clear();
    try {
      this.#mergeInto(batch, address, record);
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#commit(batch, address, durability, done);
  }

  /** Keeps a hint for an owner that has not acknowledged. */
  keepHint(target: string, address: Uint8Array, record: Uint8Array, done: (error?: Error) => void): void {
    const batch = this.#batch.clear();
    try {
      this.#putHint(batch, target, address, record);
    } catch (error) {
      done(error as Error);
      return;
    }
    this.#engine.commit(batch, 'sync', done);
  }

  #coordinateNow(request: CoordinateRequest, callbacks: CoordinateCallbacks): void {
    const batch = this.#batch.clear();
    let state: Buffer;
    let context: Buffer;
    try {
      const record = this.#applyWrite(request, batch);
      state = encodeRecord(record);
      context = record.context.encode();
      this.#store(batch, request, state);
    } catch (error) {
      this.#deps.leaves.forget(slotOfAddress(request.address));
      callbacks.failed(this.#reasonOf(error, request.address), (error as Error).message);
      return;
    }
    this.counters.coordinated++;
    this.#commit(batch, request.address, request.durability, callbacks.stored);
    callbacks.merged(state, context);
  }

  /** What the client asked for cannot be (nothing is wrong here), or a record could not be read. */
  #reasonOf(error: unknown, address: Uint8Array): FailureReason {
    if (error instanceof ReplicationError && error.code !== 'REPLICATION_BAD_RECORD') return 'limit';
    this.#retire(slotOfAddress(address));
    return 'engine';
  }

  /** Something of the slot could not be read. */
  #retire(slot: number): void {
    const batch = new WriteBatch();
    this.#deps.dots.retire(slot, 'drop', batch);
    this.#engine.commit(batch, 'memory', () => {});
  }

  /** A batch that was refused changed no leaf. */
  #commit(batch: WriteBatch, address: Uint8Array, durability: Durability, done: (error?: Error) => void): void {
    this.#engine.commit(batch, durability, (error) => {
      if (error !== undefined) this.#deps.leaves.forget(slotOfAddress(address));
      done(error);
    });
  }

  #applyWrite(request: CoordinateRequest, batch: WriteBatch): DottedRecord {
    const slot = slotOfAddress(request.address);
    let base = this.#base(request.address, this.#isOwner(slot));
    for (const bytes of request.seen) {
      const seen = decodeRecord(bytes);
      this.#checkTenure(batch, slot, base, seen);
      base = merged(base, seen);
    }
    const { dot, hybridTime } = this.#deps.dots.issue(slot, batch);
    const { operation } = request;
    return applyWrite(base, {
      dot,
      hybridTime,
      value: operation.type === 'put' ? operation.value : 'tombstone',
      supersedes:
        typeof operation.supersedes === 'string' ? operation.supersedes : VersionVector.decode(operation.supersedes),
    });
  }

  /** What this node holds of the record. */
  #base(address: Uint8Array, owner: boolean): DottedRecord | undefined {
    const bytes = owner ? this.read(address) : this.#fromHints(address);
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  #store(batch: WriteBatch, request: CoordinateRequest, state: Buffer): void {
    const { address, hintFor } = request;
    const slot = slotOfAddress(address);
    if (this.#isOwner(slot)) {
      for (const target of hintFor) this.#putHint(batch, target, address, state);
      this.#putRecord(batch, address, this.read(address), state);
      return;
    }
    this.#deps.probe('coordinate-as-fallback');
    const targets = hintFor.length > 0 ? hintFor : this.#deps.ring.row(slot).slice(0, 1);
    for (const target of targets) this.#putHint(batch, target, address, state);
  }

  #mergeItem(address: Uint8Array, record: Uint8Array, message: ReplicateMessage, done: (reason: string) => void): void {
    const batch = this.#batch.clear();
    try {
      const owner = this.#isOwner(slotOfAddress(address));
      if (!owner && message.hintFor === undefined) {
        this.counters.refused++;
        done('not-owner');
        return;
      }
      if (owner) this.#mergeInto(batch, address, record);
      if (message.hintFor !== undefined) this.#putHint(batch, message.hintFor, address, record);
    } catch {
      this.counters.refused++;
      done('corrupt');
      return;
    }
    this.#commit(batch, address, message.durability, (error) => done(error === undefined ? '' : 'failed'));
  }

  /** Puts the merge of what is held and what came into the batch; leaves it empty when nothing changes. */
  #mergeInto(batch: WriteBatch, address: Uint8Array, incoming: Uint8Array): void {
    this.counters.merges++;
    const held = this.read(address);
    if (held?.equals(incoming)) {
      this.counters.mergesWithoutChange++;
      return;
    }
    const theirs = decodeRecord(incoming);
    const mine = held === undefined ? undefined : decodeRecord(held);
    this.#checkTenure(batch, slotOfAddress(address), mine, theirs);
    const state = mine === undefined ? Buffer.from(incoming) : encodeRecord(mergeRecords(mine, theirs));
    if (held?.equals(state)) this.counters.mergesWithoutChange++;
    else this.#putRecord(batch, address, held, state);
  }

  /** A state that names a dot of this node's own which is not held here means that something was lost: the tenure ends. */
  #checkTenure(batch: WriteBatch, slot: number, mine: DottedRecord | undefined, theirs: DottedRecord): void {
    if (this.#deps.dots.observe(slot, theirs.context, mine?.context, batch)) this.#deps.probe('tenure-lost');
  }

  #putRecord(batch: WriteBatch, address: Uint8Array, before: Uint8Array | undefined, state: Buffer): void {
    batch.put(storageKey(address, FAMILY.records), state);
    const { seed, leaves } = this.#deps;
    const old = before === undefined ? undefined : recordHash(seed, address, before);
    leaves.replace(slotOfAddress(address), old, recordHash(seed, address, state), batch);
  }

  /** An owner keeps a reference; anybody else the state, merged with what is kept for that target already. */
  #putHint(batch: WriteBatch, target: string, address: Uint8Array, record: Uint8Array): void {
    this.counters.hintsStored++;
    if (this.#isOwner(slotOfAddress(address))) {
      this.#deps.hints.put(batch, target, address, NOTHING);
      return;
    }
    const kept = this.#deps.hints.record(address, target);
    const state = kept === undefined ? record : encodeRecord(mergeRecords(decodeRecord(kept), decodeRecord(record)));
    this.#deps.hints.put(batch, target, address, state);
  }

  #fromHints(address: Uint8Array): Buffer | undefined {
    let all: DottedRecord | undefined;
    for (const bytes of this.#deps.hints.records(address)) all = merged(all, decodeRecord(bytes));
    return all === undefined ? undefined : encodeRecord(all);
  }

  #doubt(slot: number): boolean {
    return this.#deps.doubt && !this.#deps.coverage.covered(slot);
  }

  #isOwner(slot: number): boolean {
    return this.#deps.ring.isOwner(slot, this.#deps.self);
  }
}

function merged(base: DottedRecord | undefined, other: DottedRecord): DottedRecord {
  return base === undefined ? other : mergeRecords(base, other);
}
