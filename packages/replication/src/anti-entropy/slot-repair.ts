/**
 * How far the asking side has come in one differing slot: the page that was asked, what the peer answered to it, and which of
 * the wanted records are still to be sent. Moves forward only.
 */
import type { ExchangeKeysReplyMessage, ReplicaItem } from '../messages.ts';
import type { ReplicaStore } from '../replica-store.ts';
import { compareAddresses, isOfSlot, type KeyPage, NO_BYTES } from './keys.ts';

export class SlotRepair {
  readonly slot: number;
  readonly group: number;
  /** The page asked begins after this address; empty: at the start of the slot. */
  after: Uint8Array = NO_BYTES;
  /** A record could not be read here: the slot is gone through, but not agreed on. */
  failed = false;
  /** Any record was sent or came. */
  moved = false;
  #page: KeyPage = { keys: [], until: NO_BYTES };
  #reply: Pick<ExchangeKeysReplyMessage, 'wanted' | 'items' | 'covered'> = { wanted: [], items: [], covered: NO_BYTES };
  #wantedIndex = 0;
  #itemIndex = 0;

  constructor(slot: number, group: number) {
    this.slot = slot;
    this.group = group;
  }

  asked(page: KeyPage): void {
    this.#page = page;
  }

  /** Takes the answer; false when it breaks the rules: it does not move forward, or speaks of what was not asked. */
  answered(reply: ExchangeKeysReplyMessage): boolean {
    const { covered, items, wanted } = reply;
    const { until, keys } = this.#page;
    if (covered.length > 0 && !this.#within(covered, until)) return false;
    const end = covered.length > 0 ? covered : until;
    if (!items.every(({ address }) => isOfSlot(address, this.slot) && this.#within(address, end))) return false;
    if (wanted.length > keys.length || !wanted.every((address) => this.#within(address, end))) return false;
    this.#reply = reply;
    this.#wantedIndex = 0;
    this.#itemIndex = 0;
    if (items.length > 0) this.moved = true;
    return true;
  }

  /**
   * The next wanted records, up to about `bytesMax` bytes and at least one; none: all are sent. Those which are, after the
   * merge, just what the peer has sent are passed over: it holds them. Records that cannot be read are counted.
   */
  nextWanted(
    store: ReplicaStore,
    bytesMax: number,
  ): { readonly items: readonly ReplicaItem[]; readonly errors: number } {
    const items: ReplicaItem[] = [];
    let errors = 0;
    let size = 0;
    for (; this.#wantedIndex < this.#reply.wanted.length && size < bytesMax; this.#wantedIndex++) {
      const address = this.#reply.wanted[this.#wantedIndex]!;
      try {
        const record = store.read(address);
        if (record === undefined || this.#cameFromPeer(address, record)) continue;
        size += address.length + record.length;
        items.push({ address, record });
      } catch {
        errors++;
      }
    }
    if (items.length > 0) this.moved = true;
    if (errors > 0) this.failed = true;
    return { items, errors };
  }

  /** Begins the next page; false when the slot is done. */
  turnPage(): boolean {
    const { covered } = this.#reply;
    this.after = covered.length > 0 ? covered : this.#page.until;
    this.#reply = { wanted: [], items: [], covered: NO_BYTES };
    return this.after.length > 0;
  }

  #within(address: Uint8Array, end: Uint8Array): boolean {
    return compareAddresses(address, this.after) > 0 && (end.length === 0 || compareAddresses(address, end) <= 0);
  }

  /** Both lists ascend, so one look forward suffices. */
  #cameFromPeer(address: Uint8Array, record: Uint8Array): boolean {
    const { items } = this.#reply;
    for (let item = items[this.#itemIndex]; item !== undefined; item = items[++this.#itemIndex]) {
      const order = compareAddresses(item.address, address);
      if (order >= 0) return order === 0 && compareAddresses(item.record, record) === 0;
    }
    return false;
  }
}
