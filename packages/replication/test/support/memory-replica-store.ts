/**
 * A ReplicaStore over a map. A record is a set of letters, written sorted; merging unites them, so it is easily seen in a
 * transcript what was lost. Addresses are `slot u16 | text`.
 */
import type { Hash128, NodeId, ReplicaItem } from '../../src/messages.ts';
import type { Hint, ReplicaStore, SlotListing } from '../../src/replica-store.ts';

export function address(slot: number, key: string): Uint8Array {
  return Buffer.concat([Buffer.from([slot >> 8, slot & 255]), Buffer.from(key, 'latin1')]);
}

export function item(slot: number, key: string, letters: string): ReplicaItem {
  return { address: address(slot, key), record: Buffer.from(letters) };
}

export function mergeLetters(a: string, b: string): string {
  return [...new Set(a + b)].sort().join('');
}

function hashOf(text: string): Hash128 {
  const lane = (seed: number): number => {
    let hash = seed;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  };
  return [lane(0x811c9dc5), lane(0x12345671), lane(0x2545f491), lane(0x7feb352d)];
}

export class MemoryReplicaStore implements ReplicaStore {
  /** latin1 address → letters. */
  readonly records = new Map<string, string>();
  readonly hintsKept: Hint[] = [];
  /** latin1 addresses whose read throws. */
  readonly unreadable = new Set<string>();
  readonly unreadableLeaves = new Set<number>();
  failMerges = false;
  /** Set: callbacks of writes wait until it is called for each. */
  hold: ((callback: () => void) => void) | undefined;
  readonly #merge: (a: string, b: string) => string;
  readonly #hash: (at: string, record: string) => Hash128;
  #hintId = 0;

  /** For records that are not letters: how two are merged (the first may be '', absent), and hashed. */
  constructor(
    merge: (a: string, b: string) => string = mergeLetters,
    hash: (at: string, record: string) => Hash128 = (at, record) => hashOf(`${at}=${record}`),
  ) {
    this.#merge = merge;
    this.#hash = hash;
  }

  put(slot: number, key: string, letters: string): this {
    const at = latin1(address(slot, key));
    this.records.set(at, mergeLetters(this.records.get(at) ?? '', letters));
    return this;
  }

  keepHint(target: NodeId, hint: ReplicaItem): void {
    const index = this.hintsKept.findIndex(
      (kept) => kept.target === target && latin1(kept.address) === latin1(hint.address),
    );
    const before = index < 0 ? '' : latin1(this.hintsKept[index]!.record);
    const record = Buffer.from(mergeLetters(before, latin1(hint.record)));
    const kept = { id: ++this.#hintId, target, address: hint.address, record };
    if (index < 0) this.hintsKept.push(kept);
    else this.hintsKept[index] = kept;
    this.hintsKept.sort((a, b) => Buffer.compare(a.address, b.address));
  }

  merge(items: readonly ReplicaItem[], done: (error?: Error) => void): void {
    if (this.failMerges) return this.#answer(() => done(new Error('merge fails')));
    for (const { address: at, record } of items) {
      this.records.set(latin1(at), this.#merge(this.records.get(latin1(at)) ?? '', latin1(record)));
    }
    this.#answer(() => done());
  }

  read(at: Uint8Array): Uint8Array | undefined {
    if (this.unreadable.has(latin1(at))) throw new Error('unreadable');
    const letters = this.records.get(latin1(at));
    return letters === undefined ? undefined : Buffer.from(letters, 'latin1');
  }

  leaf(slot: number, _group: number): Hash128 {
    if (this.unreadableLeaves.has(slot)) throw new Error('leaf unreadable');
    const sum: [number, number, number, number] = [0, 0, 0, 0];
    for (const [at, letters] of this.records) {
      if (at.charCodeAt(0) * 256 + at.charCodeAt(1) !== slot) continue;
      for (const [index, lane] of this.#hash(at, letters).entries()) sum[index] = (sum[index]! + lane) >>> 0;
    }
    return sum;
  }

  list(
    slot: number,
    range: { readonly after?: Uint8Array; readonly until?: Uint8Array; readonly limit: number },
  ): SlotListing {
    const { after, until, limit } = range;
    const keys = [...this.records]
      .map(([at, letters]) => ({ address: Buffer.from(at, 'latin1'), hash: this.#hash(at, letters) }))
      .filter(({ address: at }) => at.readUInt16BE(0) === slot)
      .filter(({ address: at }) => after === undefined || Buffer.compare(at, after) > 0)
      .filter(({ address: at }) => until === undefined || Buffer.compare(at, until) <= 0)
      .sort((a, b) => Buffer.compare(a.address, b.address));
    return { keys: keys.slice(0, limit), complete: keys.length <= limit };
  }

  hintTargets(): readonly NodeId[] {
    return [...new Set(this.hintsKept.map((hint) => hint.target))];
  }

  hints(target: NodeId, limit: { readonly count: number; readonly bytes: number }): readonly Hint[] {
    const bunch: Hint[] = [];
    let bytes = 0;
    for (const hint of this.hintsKept) {
      if (hint.target !== target) continue;
      bytes += hint.address.length + hint.record.length;
      if (bunch.length === limit.count || (bunch.length > 0 && bytes > limit.bytes)) break;
      bunch.push(hint);
    }
    return bunch;
  }

  removeHints(hints: readonly Hint[], done: (error?: Error) => void): void {
    const ids = new Set(hints.map((hint) => hint.id));
    const kept = this.hintsKept.filter((hint) => !ids.has(hint.id));
    this.hintsKept.splice(0, Infinity, ...kept);
    this.#answer(() => done());
  }

  /** What it holds, for comparison and transcripts. */
  show(): string {
    return [...this.records]
      .map(([at, letters]) => `${at.charCodeAt(0) * 256 + at.charCodeAt(1)}/${at.slice(2)}=${letters}`)
      .sort()
      .join(' ');
  }

  #answer(callback: () => void): void {
    if (this.hold === undefined) callback();
    else this.hold(callback);
  }
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
