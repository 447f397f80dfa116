/**
 * Comparison of what two nodes hold in a part of one slot, key by key. Both lists ascend by address, so one walk over both finds
 * every difference: only the asker has it → wanted; only the answerer has it → its record; both, differently → both.
 * Pure but for the store it reads.
 */
import { slotOfAddress } from '../address.ts';
import type { ExchangeKeysMessage, ExchangeKeysReplyMessage, ReplicaItem } from '../messages.ts';
import type { ReplicaStore, SlotListing } from '../replica-store.ts';
import { hashesEqual } from './record-hash.ts';

export const NO_BYTES = new Uint8Array(0);

export type ListedKey = SlotListing['keys'][number];

export interface KeyPage {
  readonly keys: readonly ListedKey[];
  /** The last address that the page speaks of; empty: the end of the slot. */
  readonly until: Uint8Array;
}

export interface KeyLimits {
  readonly keys: number;
  readonly bytes: number;
}

/** Order of addresses: bytewise. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function isOfSlot(address: Uint8Array, slot: number): boolean {
  return address.length >= 2 && slotOfAddress(address) === slot;
}

/** The next keys of the slot after `after` (empty: from its start), as many as one message takes. Throws what the store throws. */
export function readPage(store: ReplicaStore, slot: number, after: Uint8Array, limits: KeyLimits): KeyPage {
  const listing = store.list(slot, after.length === 0 ? { limit: limits.keys } : { after, limit: limits.keys });
  const fitting = countWithin(listing.keys, limits.bytes);
  const whole = listing.complete && fitting === listing.keys.length;
  const keys = whole ? listing.keys : listing.keys.slice(0, fitting);
  return { keys, until: whole ? NO_BYTES : (keys.at(-1)?.address ?? NO_BYTES) };
}

function countWithin(keys: readonly ListedKey[], bytes: number): number {
  let size = 0;
  let count = 0;
  for (const key of keys) {
    size += key.address.length + 16;
    if (count > 0 && size > bytes) break;
    count++;
  }
  return count;
}

export type KeyComparison = Pick<ExchangeKeysReplyMessage, 'wanted' | 'items' | 'covered'>;

/**
 * The answer: what differs in the asked range, as far as the limits go (`covered`). `undefined` when the first difference cannot
 * be read here: unreadable is never taken for absent. Throws what `store.list` throws.
 */
export function compareKeys(
  message: ExchangeKeysMessage,
  store: ReplicaStore,
  limits: KeyLimits,
): KeyComparison | undefined {
  const listing = listRange(message, store, limits);
  const last = listing.complete ? undefined : listing.keys.at(-1)?.address;
  const answer = new Answer(store, limits.bytes);
  const covered = walk(message.keys, listing.keys, last, answer);
  if (covered === 'failed') return undefined;
  return { wanted: answer.wanted, items: answer.items, covered: covered ?? NO_BYTES };
}

function listRange(message: ExchangeKeysMessage, store: ReplicaStore, limits: KeyLimits): SlotListing {
  const { slot, after, until } = message;
  return store.list(slot, {
    ...(after.length > 0 && { after }),
    ...(until.length > 0 && { until }),
    limit: limits.keys,
  });
}

/** Walks both lists up to `last`; the address it came to, `undefined` for the end, or 'failed' before the first. */
function walk(
  theirs: readonly ListedKey[],
  mine: readonly ListedKey[],
  last: Uint8Array | undefined,
  answer: Answer,
): Uint8Array | undefined | 'failed' {
  let covered: Uint8Array | 'failed' = 'failed';
  for (let i = 0, j = 0; ; ) {
    const their = theirs[i];
    const my = mine[j];
    const order = their === undefined ? 1 : my === undefined ? -1 : compareAddresses(their.address, my.address);
    const address = order <= 0 ? their?.address : my?.address;
    if (address === undefined || (last !== undefined && compareAddresses(address, last) > 0)) return last;
    const same = order === 0 && their !== undefined && my !== undefined && hashesEqual(their.hash, my.hash);
    if (!same && !answer.add(address, { wanted: order <= 0, held: order >= 0 })) return covered;
    covered = address;
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
}

/** Collects differences up to a number of bytes; at least one always fits. */
class Answer {
  readonly wanted: Uint8Array[] = [];
  readonly items: ReplicaItem[] = [];
  readonly #store: ReplicaStore;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(store: ReplicaStore, bytesMax: number) {
    this.#store = store;
    this.#bytesMax = bytesMax;
  }

  /** False when it does not fit any more, or cannot be read. */
  add(address: Uint8Array, which: { readonly wanted: boolean; readonly held: boolean }): boolean {
    const record = which.held ? this.#read(address) : undefined;
    if (record === 'unreadable') return false;
    const size = address.length + (record?.length ?? 0);
    if (this.#bytes > 0 && this.#bytes + size > this.#bytesMax) return false;
    this.#bytes += size;
    if (which.wanted) this.wanted.push(address);
    if (record !== undefined) this.items.push({ address, record });
    return true;
  }

  #read(address: Uint8Array): Uint8Array | undefined | 'unreadable' {
    try {
      return this.#store.read(address);
    } catch {
      return 'unreadable';
    }
  }
}
