/**
 * Cursors of SCAN: a decimal below 2^64, so that every client can carry it, and nothing is kept for it that could be lost.
 *
 *   slot, 14 bits | mark, 50 bits of a hash of the last address that was looked at; 0: the slot's start
 *
 * Keys are visited slot by slot, and in a slot in the order of addresses. The mark finds the address again: quickly in the
 * memory of the node that gave the cursor, else by looking through the slot for it. When it is no longer there, the slot is begun
 * again: a key may come twice then, and none is missed.
 */
import { murmur3 } from '@kvd/replication';
import type { ScanPlace } from '../scan-reader.ts';

const SLOT_SHIFT = 50n;
const MARK_MASK = (1n << SLOT_SHIFT) - 1n;
const CURSOR_END = 1n << 64n;
const HIGH_BITS = 0x3ffff;
const CURSOR_DIGITS_MAX = 20;
/** Places that a node remembers: those of so many scans at once. */
const REMEMBERED_MAX = 1024;

/** Where a scan goes on; `mark` 0n: at the start of the slot. */
export interface ScanCursor {
  readonly slot: number;
  readonly mark: bigint;
}

/** As Redis: digits only; `undefined` for what is no cursor. */
export function readCursor(word: Buffer): ScanCursor | undefined {
  const text = word.toString('latin1', 0, CURSOR_DIGITS_MAX + 1);
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const number = BigInt(text);
  if (number >= CURSOR_END) return undefined;
  return { slot: Number(number >> SLOT_SHIFT), mark: number & MARK_MASK };
}

/** '0' when there is nowhere to go on. */
export function cursorOf(place: ScanPlace | undefined): string {
  if (place === undefined) return '0';
  const mark = place.after.length === 0 ? 0n : markOf(place.after);
  return String((BigInt(place.slot) << SLOT_SHIFT) | mark);
}

/** Never 0. */
export function markOf(address: Uint8Array): bigint {
  const [high, low] = murmur3(address, address.length, 0);
  const mark = (BigInt(high & HIGH_BITS) << 32n) | BigInt(low >>> 0);
  return mark === 0n ? 1n : mark;
}

/** The places of the last cursors that this node has given. */
export class ScanMemory {
  readonly #places = new Map<string, Uint8Array>();

  remember(cursor: string, place: ScanPlace): void {
    if (place.after.length === 0) return;
    this.#places.delete(cursor);
    this.#places.set(cursor, Buffer.from(place.after));
    if (this.#places.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
  }

  find(cursor: string): Uint8Array | undefined {
    return this.#places.get(cursor);
  }
}
