/**
 * Sees every record that any node stores, in records and hints, at the moment when it is committed, and when it became durable.
 * It listens between the node and its engine, which are left as they are. The invariants that hold at every moment are checked
 * here:
 *
 *   I2   a dot never stands for two values
 *   I3   what is stored was written, under that key
 *   I4   a value gives way only to a write that has seen it
 *   I13  what a replica holds of a record never goes back (a hint or a repair is merged, never put over it)
 *   P    what was durable is there again after every restart on the same disk
 */
import { Engine, type FileSystem, type WriteBatch } from '@kvd/lsm';
import {
  addressOfStorageKey,
  decodeAddress,
  decodeRecord,
  decodeRecordContext,
  type DottedRecord,
  type DottedValue,
  FAMILY,
  formatDot,
  LOCAL_SLOT,
  parseHintKey,
  storageKey,
  VersionVector,
} from '@kvd/replication';
import { BatchReader } from '../../packages/lsm/src/write-batch.ts';
import { type History, isSame } from './history.ts';
import { InvariantViolation } from './invariant.ts';

const KIND_PUT = 1;
const FAMILY_AT = 8;
const HINT_ID_BYTES = 8;

interface Pending {
  readonly order: number;
  readonly address: string;
  readonly context: VersionVector;
  readonly isRecord: boolean;
}

/** What one machine holds, as far as it has been committed. Addresses are latin1 texts of their bytes. */
export class Holdings {
  readonly node: number;
  /** Contexts known to be on the disk, records and hints together: what counts for W. */
  durable = new Map<string, VersionVector>();
  /** Of records alone: these must be there after a restart. */
  durableRecords = new Map<string, VersionVector>();
  pending: Pending[] = [];

  constructor(node: number) {
    this.node = node;
  }

  settle(order: number): void {
    let count = 0;
    for (const { order: at, address, context, isRecord } of this.pending) {
      if (at > order) break;
      join(this.durable, address, context);
      if (isRecord) join(this.durableRecords, address, context);
      count++;
    }
    this.pending.splice(0, count);
  }

  /** The commit was not taken. */
  refuse(order: number): void {
    this.pending = this.pending.filter((pending) => pending.order !== order);
  }
}

function join(map: Map<string, VersionVector>, address: string, context: VersionVector): void {
  map.set(address, (map.get(address) ?? VersionVector.EMPTY).join(context));
}

export interface FoundRecord {
  readonly address: Buffer;
  readonly key: string;
  readonly bytes: Buffer;
}

export class StoreTap {
  readonly holdings: Holdings[];
  readonly #history: History;
  readonly #dots = new Map<string, string>();
  readonly #expected = new WeakMap<FileSystem, { readonly node: number; readonly opened: (engine: Engine) => void }>();
  readonly #reader = new BatchReader();
  #order = 0;
  /** The first violation seen inside a commit; also thrown there, but a node may catch what it calls. */
  violation: InvariantViolation | undefined;

  constructor(history: History, nodes: number) {
    this.#history = history;
    this.holdings = Array.from({ length: nodes }, (_, node) => new Holdings(node));
  }

  /** The engine that is opened over this file system belongs to the node. */
  expect(fileSystem: FileSystem, node: number, opened: (engine: Engine) => void): void {
    this.#expected.set(fileSystem, { node, opened });
  }

  /** Unsynced states may be gone. */
  crashed(node: number): void {
    (this.holdings[node] as Holdings).pending = [];
  }

  /** The disk is gone. */
  diskLost(node: number): void {
    this.holdings[node] = new Holdings(node);
  }

  opened(fileSystem: FileSystem | undefined, engine: Engine): void {
    const expected = fileSystem === undefined ? undefined : this.#expected.get(fileSystem);
    if (expected === undefined) return;
    const holdings = this.holdings[expected.node] as Holdings;
    engines.set(engine, { tap: this, holdings });
    this.#guard(() => this.#checkRecovered(engine, holdings));
    for (const { address, bytes } of records(engine))
      join(holdings.durable, latin1(address), decodeRecordContext(bytes));
    for (const { address, bytes } of records(engine))
      join(holdings.durableRecords, latin1(address), decodeRecordContext(bytes));
    for (const { address, bytes } of hints(engine)) {
      if (bytes.length > 0) join(holdings.durable, latin1(address), decodeRecordContext(bytes));
    }
    expected.opened(engine);
  }

  /** Called before a commit; returns its place in the order of commits. */
  committing(engine: Engine, holdings: Holdings, batch: WriteBatch): number {
    const order = ++this.#order;
    this.#guard(() => this.#observe(engine, holdings, batch, order));
    return order;
  }

  /** Machines whose disk holds all that the context covers of that record, or more. */
  durableHolders(address: Uint8Array, context: VersionVector): number[] {
    const at = latin1(address);
    return this.holdings.filter(({ durable }) => durable.get(at)?.includes(context) === true).map(({ node }) => node);
  }

  #observe(engine: Engine, holdings: Holdings, batch: WriteBatch, order: number): void {
    const reader = this.#reader.reset(batch.payload());
    while (reader.next()) {
      if (reader.kind !== KIND_PUT) continue;
      const key = reader.source.subarray(reader.key.start, reader.key.start + reader.key.length);
      if (key.readUInt16BE(0) === LOCAL_SLOT) continue;
      const value = reader.source.subarray(reader.value.start, reader.value.start + reader.value.length);
      const family = key[FAMILY_AT];
      if (family === FAMILY.records)
        this.#record(engine, holdings, addressOfStorageKey(key, FAMILY.records), value, order);
      else if (family === FAMILY.hints && value.length > HINT_ID_BYTES) {
        this.#state(holdings, parseHintKey(key).address, value.subarray(HINT_ID_BYTES), { order, isRecord: false });
      }
    }
  }

  #record(engine: Engine, holdings: Holdings, address: Buffer, bytes: Buffer, order: number): void {
    const after = this.#state(holdings, address, bytes, { order, isRecord: true });
    const held = engine.getSync(storageKey(address, FAMILY.records));
    if (held === undefined) return;
    const before = decodeRecord(held);
    const key = keyText(address);
    if (!after.context.includes(before.context)) {
      const message = `n${holdings.node} held ${before.context} and stores ${after.context} over it`;
      throw new InvariantViolation('I13 nothing goes back', message, key);
    }
    for (const { dot } of before.values) {
      if (after.values.some((value) => isSame(value.dot, dot)) || this.#history.wasSuperseded(key, dot)) continue;
      const message = `n${holdings.node} gives up ${formatDot(dot)} for ${after.context}, and no write has seen it`;
      throw new InvariantViolation('I4 no acknowledged write lost', message, key);
    }
  }

  #state(
    holdings: Holdings,
    address: Buffer,
    bytes: Buffer,
    { order, isRecord }: { readonly order: number; readonly isRecord: boolean },
  ): DottedRecord {
    const record = decodeRecord(bytes);
    const key = keyText(address);
    for (const value of record.values) this.#value(holdings.node, key, record, value);
    holdings.pending.push({ order, address: latin1(address), context: record.context, isRecord });
    return record;
  }

  #value(node: number, key: string, record: DottedRecord, value: DottedValue): void {
    const write = this.#history.writeOf(key, value, `n${node}`);
    const dot = formatDot(value.dot);
    const meaning = `${key} ${value.hybridTime} ${value.tombstone ? 'tombstone' : `${value.checksum}/${value.lengthBytes}`}`;
    const known = this.#dots.get(dot);
    if (known === undefined) {
      this.#dots.set(dot, meaning);
      const birth = { dot: value.dot, context: record.context };
      if (value.tombstone) this.#history.noteTombstone(key, birth);
      else write?.births.push(birth);
    } else if (known !== meaning) {
      throw new InvariantViolation('I2 dot uniqueness', `${dot} is "${known}" and, at n${node}, "${meaning}"`, key);
    }
  }

  #checkRecovered(engine: Engine, { node, durableRecords }: Holdings): void {
    for (const [address, context] of durableRecords) {
      const bytes = Buffer.from(address, 'latin1');
      const held = heldOf(engine, bytes) ?? VersionVector.EMPTY;
      if (held.includes(context)) continue;
      const message = `n${node} had ${context} on its disk, and has ${held} after its restart`;
      throw new InvariantViolation('P durable prefix', message, keyText(bytes));
    }
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (error instanceof InvariantViolation) this.violation ??= error;
      throw error;
    }
  }
}

const engines = new WeakMap<Engine, { readonly tap: StoreTap; readonly holdings: Holdings }>();
let current: StoreTap | undefined;

/** Puts the tap between all nodes and engines of this process; returns what takes it away. */
export function installTap(tap: StoreTap): () => void {
  current = tap;
  return () => {
    current = undefined;
  };
}

const realOpen = Engine.open;
const realCommit = Engine.prototype.commit;

Engine.open = async function open(path, options, dependencies) {
  const engine = await realOpen.call(Engine, path, options, dependencies);
  current?.opened(dependencies?.fileSystem, engine);
  return engine;
};

Engine.prototype.commit = function commit(this: Engine, batch, durability, done) {
  const known = engines.get(this);
  if (known === undefined || known.tap !== current) return realCommit.call(this, batch, durability, done);
  const { tap, holdings } = known;
  const order = tap.committing(this, holdings, batch);
  realCommit.call(this, batch, durability, (error) => {
    if (error) holdings.refuse(order);
    else if (durability === 'sync') holdings.settle(order);
    done(error);
  });
};

function heldOf(engine: Engine, address: Uint8Array): VersionVector | undefined {
  const bytes = engine.getSync(storageKey(address, FAMILY.records));
  return bytes === undefined ? undefined : decodeRecordContext(bytes);
}

/** All records of an engine, in key order. */
export function records(engine: Engine): FoundRecord[] {
  return found(engine, FAMILY.records, (key, value) => {
    const address = addressOfStorageKey(key, FAMILY.records);
    return { address, key: keyText(address), bytes: Buffer.from(value) };
  });
}

/** All hints of an engine; `bytes` is empty for one by reference. */
export function hints(engine: Engine): FoundRecord[] {
  return found(engine, FAMILY.hints, (key, value) => {
    const { address } = parseHintKey(key);
    return { address, key: keyText(address), bytes: Buffer.from(value.subarray(HINT_ID_BYTES)) };
  });
}

function found(engine: Engine, family: number, make: (key: Buffer, value: Buffer) => FoundRecord): FoundRecord[] {
  const all: FoundRecord[] = [];
  const cursor = engine.cursor({});
  try {
    while (cursor.next()) {
      if (cursor.key.readUInt16BE(0) !== LOCAL_SLOT && cursor.key[FAMILY_AT] === family)
        all.push(make(cursor.key, cursor.value));
    }
  } finally {
    cursor.close();
  }
  return all;
}

export function keyText(address: Uint8Array): string {
  return Buffer.from(decodeAddress(address).key).toString('latin1');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
