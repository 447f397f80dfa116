/**
 * The local copy: takes operations, never get-then-put. `coordinate` reads the local record, issues a dot, merges and stores;
 * `replicate` merges the states of others; `fetch` answers reads.
 *
 * Invariants
 * - Between reading a record and its insertion in the memtable there is one synchronous section: no two writers build on the
 *   same base.
 * - An answer that says "stored" comes after everything that it stands for is as durable as was asked, also when the merge
 *   changed nothing (what is held may itself still be on its way to the disk).
 * - A record that cannot be read is never taken for absent, and ends the tenure of its slot.
 * - A batch that was not taken has changed nothing: not the leaf, not the tenure as it is stored.
 */
import { type Durability, type Engine, WriteBatch } from '@kvd/lsm';
import {
  type Applied,
  applyOperation,
  type CoordinateRequest,
  type DottedRecord,
  decodeRecord,
  decodeRecordContext,
  decodeTrustedRecord,
  encodeRecord,
  FAMILY,
  type FetchReplyMessage,
  mergeRecords,
  type OperationResult,
  type ReplicateMessage,
  type ScanReplyMessage,
  SLOT_MAX,
  recordHash,
  slotOfAddress,
  storageKey,
  VersionVector,
  type WriteOperation,
} from '@kvd/replication';
import { reasonOfError, reasonOfRefusal, STATE_BYTES_MAX, tooLarge } from './failure-reasons.ts';
import { HeldRecords, merged } from './held-records.ts';
import { checkAddress } from './known-address.ts';
import { type ScanRange, scanRecords } from './record-scan.ts';
import type { CoordinateCallbacks, ReplicaDependencies } from './replica-contract.ts';

const NOTHING = Buffer.alloc(0);

/** An operation that was run here. `state` undefined: there is nothing to write. */
type Ran =
  | { readonly state: Buffer | undefined; readonly context: Buffer; readonly result: OperationResult }
  | { readonly rejected: string };

export class Replica {
  readonly counters = {
    coordinated: 0,
    merges: 0,
    mergesWithoutChange: 0,
    fetches: 0,
    hintsStored: 0,
    hintsLost: 0,
    refused: 0,
  };
  readonly #deps: ReplicaDependencies;
  readonly #engine: Engine;
  readonly #own: HeldRecords;
  readonly #batch = new WriteBatch();

  constructor(dependencies: ReplicaDependencies) {
    this.#deps = dependencies;
    this.#engine = dependencies.engine;
    this.#own = new HeldRecords(dependencies);
  }

  /** The wall part of this node's hybrid time, milliseconds since 1970: what expiry goes by. */
  nowMs(): number {
    return this.#deps.dots.nowMs();
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
    try {
      for (const address of addresses) checkAddress(address);
      const slot = addresses[0] === undefined ? 0 : slotOfAddress(addresses[0]);
      const owner = this.#own.isOwner(slot);
      const records = addresses.map((address) => this.#own.held(address, owner));
      return { status: 'ok', reason: '', role: owner ? 'owner' : 'fallback', doubt: this.#own.inDoubt(slot), records };
    } catch {
      this.counters.refused++;
      return { status: 'refused', reason: 'corrupt', role: 'fallback', doubt: true, records: [] };
    }
  }

  /**
   * Whether a plain write must first look at what other replicas hold: this node is not the first of the row, or it has not
   * compared the slot since it started and this record bears no dot of its present tenure. An addition to a counter asks in
   * that case whatever it bears: what others did while this node was away may have been the same request.
   */
  needsPreRead(address: Uint8Array, first: boolean, operation?: WriteOperation): boolean {
    const slot = slotOfAddress(address);
    if (!first) return true;
    if (this.#deps.coverage.covered(slot)) return false;
    if (operation?.type === 'add' || operation?.type === 'add-float') return true;
    try {
      const held = this.#own.held(address, true);
      return held === undefined || !this.#deps.dots.hasIssued(slot, decodeRecordContext(held));
    } catch {
      return true;
    }
  }

  /** A page of the records of a range of slots; refused when this node does not own it all, or cannot read it. */
  scan(range: ScanRange): Omit<ScanReplyMessage, 'kind' | 'stream'> {
    const { seed } = this.#deps;
    const { fromSlot, toSlot } = range;
    const isSound = fromSlot <= toSlot && toSlot <= SLOT_MAX;
    try {
      if (isSound && this.#own.ownsAll(fromSlot, toSlot)) {
        const page = scanRecords({ engine: this.#engine, seed }, range, this.nowMs());
        return { status: 'ok', doubt: this.#own.inDoubt(fromSlot, toSlot), ...page };
      }
    } catch {
      this.counters.refused++;
    }
    return { status: 'refused', doubt: true, records: [], covered: NOTHING };
  }

  /** The record held here as an owner. Throws what the engine throws. */
  read(address: Uint8Array): Buffer | undefined {
    return this.#own.read(address);
  }

  /** Merges an item into this node's own records. */
  merge(address: Uint8Array, record: Uint8Array, durability: Durability, done: (error?: Error) => void): void {
    const batch = this.#batch.clear();
    try {
      checkAddress(address);
      this.#mergeInto(batch, address, record);
    } catch (error) {
      this.#undo(slotOfAddress(address));
      done(error as Error);
      return;
    }
    this.#commit(batch, slotOfAddress(address), durability, done);
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
    this.#engine.commit(batch, 'sync', (error) => {
      // Nobody tries again: anti-entropy brings the owner what no hint does.
      if (error !== undefined) this.counters.hintsLost++;
      done(error);
    });
  }

  #coordinateNow(request: CoordinateRequest, callbacks: CoordinateCallbacks): void {
    const batch = this.#batch.clear();
    const slot = slotOfAddress(request.address);
    let ran: Ran;
    try {
      ran = this.#run(request, batch);
    } catch (error) {
      this.#undo(slot);
      callbacks.failed(reasonOfError(error), (error as Error).message);
      return;
    }
    if ('rejected' in ran || ran.state === undefined) return this.#nothingWritten(slot, ran, callbacks);
    const { state, context, result } = ran;
    const merged = () => callbacks.merged(state, context, result);
    this.#commitCoordinated(batch, slot, request.durability, callbacks, merged);
  }

  #run(request: CoordinateRequest, batch: WriteBatch): Ran {
    const owner = this.#own.isOwner(slotOfAddress(request.address));
    const held = this.#own.held(request.address, owner);
    const base = this.#baseOf(request, held, batch);
    const applied = this.#apply(request, base, batch);
    if ('rejected' in applied) return applied;
    const { record, result } = applied;
    const context = (record ?? base)?.context ?? VersionVector.EMPTY;
    const state = record && encodeRecord(record);
    if (state !== undefined && state.length > STATE_BYTES_MAX) throw tooLarge(state.length, record?.values.length ?? 0);
    if (state !== undefined && owner) this.#storeAsOwner(batch, request, held, state);
    else if (state !== undefined) this.#storeAsFallback(batch, request, state);
    return { state, context: context.encode(), result };
  }

  /**
   * The engine may answer within the call: then `stored` waits until `merged` has been told; and when it did not take the batch,
   * neither is told, for nothing is held here.
   */
  #commitCoordinated(
    batch: WriteBatch,
    slot: number,
    durability: Durability,
    callbacks: CoordinateCallbacks,
    merged: () => void,
  ): void {
    let told = false;
    let early: { readonly error: Error | undefined } | undefined;
    this.#commit(batch, slot, durability, (error) => {
      if (told) callbacks.stored(error);
      else early = { error };
    });
    if (early?.error !== undefined) {
      callbacks.failed(reasonOfRefusal(early.error), early.error.message);
      return;
    }
    this.counters.coordinated++;
    told = true;
    merged();
    if (early !== undefined) callbacks.stored();
  }

  #commit(batch: WriteBatch, slot: number, durability: Durability, done: (error?: Error) => void): void {
    this.#engine.commit(batch, durability, (error) => {
      if (error !== undefined) this.#undo(slot);
      done(error);
    });
  }

  /** A batch was not taken: what the engine holds counts. */
  #undo(slot: number): void {
    this.#deps.leaves.forget(slot);
    this.#deps.dots.unsaved(slot);
  }

  /** What is held here and what others were seen to hold. */
  #baseOf({ address, seen }: CoordinateRequest, held: Buffer | undefined, batch: WriteBatch): DottedRecord | undefined {
    let base = held === undefined ? undefined : this.#own.decode(address, held);
    for (const bytes of seen) {
      const record = decodeRecord(bytes);
      this.#checkTenure(batch, slotOfAddress(address), base, record);
      base = merged(base, record);
    }
    return base;
  }

  #apply(
    { address, operation, requestId }: CoordinateRequest,
    base: DottedRecord | undefined,
    batch: WriteBatch,
  ): Applied {
    const { dots, maxValueBytes = Number.POSITIVE_INFINITY } = this.#deps;
    const slot = slotOfAddress(address);
    if ('supersedes' in operation && typeof operation.supersedes !== 'string') {
      dots.observeClient(slot, VersionVector.decode(operation.supersedes), base?.context, batch);
    }
    const nowMs = dots.nowMs();
    return applyOperation(base, operation, {
      stamp: () => dots.issue(slot, batch),
      nowMs,
      requestId,
      valueBytesMax: maxValueBytes,
    });
  }

  /** The batch is not committed: what it says of the slot's tenure goes into the next one. */
  #nothingWritten(slot: number, ran: Ran, callbacks: CoordinateCallbacks): void {
    this.#deps.dots.unsaved(slot);
    if ('rejected' in ran) callbacks.failed('rejected', ran.rejected);
    else callbacks.unchanged(ran.context, ran.result);
  }

  #storeAsOwner(batch: WriteBatch, request: CoordinateRequest, held: Buffer | undefined, state: Buffer): void {
    for (const target of request.hintFor) this.#putHint(batch, target, request.address, state);
    this.#putRecord(batch, request.address, held, state);
  }

  #storeAsFallback(batch: WriteBatch, { address, hintFor }: CoordinateRequest, state: Buffer): void {
    this.#deps.probe('coordinate-as-fallback');
    const targets = hintFor.length > 0 ? hintFor : this.#deps.ring.row(slotOfAddress(address)).slice(0, 1);
    for (const target of targets) this.#putHint(batch, target, address, state);
  }

  #mergeItem(address: Uint8Array, record: Uint8Array, message: ReplicateMessage, done: (reason: string) => void): void {
    const batch = this.#batch.clear();
    const slot = slotOfAddress(address);
    let refusal = '';
    try {
      checkAddress(address);
      refusal = this.#putItem(batch, address, record, message.hintFor);
    } catch {
      refusal = 'corrupt';
    }
    if (refusal !== '') {
      this.counters.refused++;
      this.#undo(slot);
      done(refusal);
      return;
    }
    this.#commit(batch, slot, message.durability, (error) => done(error === undefined ? '' : 'failed'));
  }

  /** Puts what came into the batch: as an owner's record, as a hint for an owner, or both. Answers why not. */
  #putItem(batch: WriteBatch, address: Uint8Array, record: Uint8Array, hintFor: string | undefined): string {
    const slot = slotOfAddress(address);
    const owner = this.#own.isOwner(slot);
    if (hintFor === undefined ? !owner : !this.#deps.ring.isOwner(slot, hintFor)) return 'not-owner';
    if (owner) this.#mergeInto(batch, address, record);
    else this.#checkHint(batch, address, record);
    if (hintFor !== undefined) this.#putHint(batch, hintFor, address, record);
    return '';
  }

  /** A hint that comes in must be a record, and may tell of own writes that are not held here any more. */
  #checkHint(batch: WriteBatch, address: Uint8Array, record: Uint8Array): void {
    const theirs = decodeRecord(record);
    if (!this.#deps.dots.isNamedIn(theirs.context)) return;
    const held = this.#own.held(address, false);
    const mine = held === undefined ? undefined : this.#own.decode(address, held);
    this.#checkTenure(batch, slotOfAddress(address), mine, theirs);
  }

  /** Puts the merge of what is held and what came into the batch; leaves it empty when nothing changes. */
  #mergeInto(batch: WriteBatch, address: Uint8Array, incoming: Uint8Array): void {
    this.counters.merges++;
    const held = this.#own.held(address, true);
    if (held?.equals(incoming)) {
      this.counters.mergesWithoutChange++;
      return;
    }
    const theirs = decodeRecord(incoming);
    const mine = held === undefined ? undefined : this.#own.decode(address, held);
    this.#checkTenure(batch, slotOfAddress(address), mine, theirs);
    const state = mine === undefined ? incoming : encodeRecord(mergeRecords(mine, theirs));
    if (held?.equals(state)) this.counters.mergesWithoutChange++;
    else this.#putRecord(batch, address, held, state);
  }

  /** A state that names a dot of this node's own which is not held here means that something was lost: the tenure ends. */
  #checkTenure(batch: WriteBatch, slot: number, mine: DottedRecord | undefined, theirs: DottedRecord): void {
    if (this.#deps.dots.observe(slot, theirs.context, mine?.context, batch)) this.#deps.probe('tenure-lost');
  }

  #putRecord(batch: WriteBatch, address: Uint8Array, before: Uint8Array | undefined, state: Uint8Array): void {
    batch.put(storageKey(address, FAMILY.records), state);
    const { seed, leaves } = this.#deps;
    const old = before === undefined ? undefined : recordHash(seed, address, before);
    leaves.replace(slotOfAddress(address), old, recordHash(seed, address, state), batch);
  }

  /** An owner keeps a reference; anybody else the state, merged with what is kept for that target already. */
  #putHint(batch: WriteBatch, target: string, address: Uint8Array, record: Uint8Array): void {
    this.counters.hintsStored++;
    if (this.#own.isOwner(slotOfAddress(address))) {
      this.#deps.hints.put(batch, target, address, NOTHING);
      return;
    }
    const kept = this.#deps.hints.record(address, target);
    const state =
      kept === undefined ? record : encodeRecord(mergeRecords(decodeTrustedRecord(kept), decodeTrustedRecord(record)));
    this.#deps.hints.put(batch, target, address, state);
  }
}
