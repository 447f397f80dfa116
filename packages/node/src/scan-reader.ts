/**
 * Reads a page of keys from R owners: a machine, driven as the others are. It is asked for one page after another by SCAN, KEYS,
 * DBSIZE and RANDOMKEY, and answers what the merge of R owners' pages shows.
 *
 *   owners, reachable ones first ─► scan to R of them ─► R pages ─► cut at the shortest ─► merge by address
 *                     a refusal, a lost connection or silence ─► the next owner, from the start of the page
 *
 * Invariants: an answer rests on R distinct owners of every slot of its range (in strict mode none in doubt); a key is `live` or
 * `dead` only when all R hold the very same record; else it `differs`, and is to be read. Fallbacks are not asked: what only
 * they hold comes once it has been handed off.
 */
import type {
  Consistency,
  FailureReason,
  Millis,
  RequestHeader,
  ScannedRecord,
  ScanReplyMessage,
  Sender,
  Wakeups,
} from '@kvd/replication';
import { decodeAddress, slotOfAddress } from '@kvd/replication';
import type { Ring } from '@kvd/ring';

const SLOT_MAX = 16_383;
/** An owner that is silent for so long is passed over for another one. */
const PATIENCE_MS = 500;
const NOTHING = Buffer.alloc(0);

export interface ScannedKey {
  readonly key: Buffer;
  readonly address: Uint8Array;
  readonly state: 'live' | 'dead' | 'differs';
  readonly expires: boolean;
}

/** Where to go on: after this address, or at the start of the slot when there is none. */
export interface ScanPlace {
  readonly slot: number;
  readonly after: Uint8Array;
}

export type ScanOutcome =
  | { readonly status: 'ok'; readonly keys: readonly ScannedKey[]; readonly next: ScanPlace | undefined }
  | { readonly status: 'failed'; readonly reason: FailureReason; readonly detail: string };

export interface ScanRequest {
  readonly place: ScanPlace;
  /** @default the last slot */
  readonly toSlot?: number;
  readonly limit: number;
  readonly consistency: Consistency;
}

export interface ScanReaderDependencies {
  readonly self: string;
  readonly ring: () => Ring;
  readonly out: Sender & Wakeups;
  readonly reachable: (node: string) => boolean;
  readonly nextStream: () => number;
  readonly header: (remainingMs: number) => RequestHeader;
}

interface Page {
  readonly request: ScanRequest;
  readonly toSlot: number;
  readonly needed: number;
  readonly untilMs: Millis;
  /** Owners of the first slot, in the order in which they are asked. */
  readonly candidates: readonly string[];
  /** Have refused, or were lost. */
  readonly excluded: ReadonlySet<string>;
  readonly asked: Map<string, Millis>;
  readonly pages: Map<string, ScanReplyMessage>;
  readonly done: (outcome: ScanOutcome) => void;
}

export class ScanReader {
  readonly #deps: ScanReaderDependencies;
  readonly #pages = new Map<number, Page>();

  constructor(dependencies: ScanReaderDependencies) {
    this.#deps = dependencies;
  }

  start(request: ScanRequest, now: Millis, done: (outcome: ScanOutcome) => void): void {
    const untilMs = now + request.consistency.timeoutMs;
    this.#deps.out.wakeAt(untilMs);
    this.#begin({ request, untilMs, excluded: new Set(), done }, now);
  }

  /** The range is as far as the owners that are asked first own everything. */
  #begin(start: Pick<Page, 'request' | 'untilMs' | 'excluded' | 'done'>, now: Millis): void {
    const { consistency, place, toSlot: last = SLOT_MAX } = start.request;
    const needed = Math.max(1, consistency.r, consistency.pr);
    const candidates = this.#candidates(place.slot).filter((node) => !start.excluded.has(node));
    const toSlot = this.#commonRange(candidates.slice(0, needed), place.slot, last);
    const stream = this.#deps.nextStream();
    const page = { ...start, toSlot, needed, candidates, asked: new Map(), pages: new Map() };
    this.#pages.set(stream, page);
    if (candidates.length < needed) this.#fail(stream, page, 'unreachable', '');
    else this.#ask(stream, page, now);
  }

  receive(from: string, message: ScanReplyMessage, now: Millis): void {
    const page = this.#pages.get(message.stream);
    if (page === undefined || !page.asked.has(from)) return;
    const counts = message.status === 'ok' && !(page.request.consistency.mode === 'strict' && message.doubt);
    if (!counts) return this.#lost(message.stream, page, from, now);
    page.pages.set(from, message);
    if (page.pages.size < page.needed) return;
    this.#pages.delete(message.stream);
    page.done(merge(page));
  }

  unreachable(node: string, now: Millis): void {
    for (const [stream, page] of [...this.#pages]) {
      if (page.asked.has(node) && !page.pages.has(node)) this.#lost(stream, page, node, now);
    }
  }

  tick(now: Millis): void {
    for (const [stream, page] of [...this.#pages]) {
      if (now >= page.untilMs) this.#fail(stream, page, 'quorum', `in ${page.request.consistency.timeoutMs} ms`);
      else this.#ask(stream, page, now);
    }
  }

  stop(): void {
    for (const [stream, page] of [...this.#pages]) this.#fail(stream, page, 'stopping', 'and the node is stopping');
  }

  /** Owners of the slot that can be reached: this node first, then by row. */
  #candidates(slot: number): string[] {
    const { self, reachable, ring } = this.#deps;
    const row = ring().row(slot).filter(reachable);
    return row.includes(self) ? [self, ...row.filter((node) => node !== self)] : row;
  }

  /** How far the nodes own everything. */
  #commonRange(nodes: readonly string[], from: number, toAtMost: number): number {
    let to = from - 1;
    for (const run of this.#deps.ring().runs()) {
      if (run.to < from) continue;
      if (run.from > toAtMost || !nodes.every((node) => run.row.includes(node))) break;
      to = run.to;
    }
    return Math.min(Math.max(to, from), toAtMost);
  }

  /** As many as are missing, counting those that are late as missing. */
  #ask(stream: number, page: Page, now: Millis): void {
    const { out, header } = this.#deps;
    const waiting = [...page.asked].filter(([node, at]) => !page.pages.has(node) && now - at < PATIENCE_MS).length;
    let missing = page.needed - page.pages.size - waiting;
    const { place, limit } = page.request;
    const range = { fromSlot: place.slot, toSlot: page.toSlot, after: place.after, limit };
    for (const node of page.candidates) {
      if (missing <= 0) break;
      if (page.asked.has(node) || !this.#owns(node, page)) continue;
      page.asked.set(node, now);
      missing--;
      out.wakeAt(now + PATIENCE_MS);
      out.send(node, { kind: 'scan', stream, header: header(page.untilMs - now), ...range });
    }
  }

  /** The range was cut for the first choice; another owner may have less of it, and then the late ones are waited for. */
  #owns(node: string, { request, toSlot }: Page): boolean {
    return this.#commonRange([node], request.place.slot, toSlot) === toSlot;
  }

  #lost(stream: number, page: Page, node: string, now: Millis): void {
    this.#pages.delete(stream);
    this.#begin({ ...page, excluded: new Set([...page.excluded, node]) }, now);
  }

  #fail(stream: number, page: Page, reason: FailureReason, when: string): void {
    if (!this.#pages.delete(stream)) return;
    const { request, needed, pages, candidates } = page;
    const has = reason === 'unreachable' ? `can reach ${candidates.length}` : `read ${pages.size}`;
    const where = `of slots ${request.place.slot} to ${page.toSlot}`;
    const detail = `${has} of R=${needed} owners ${where}${when === '' ? '' : ` ${when}`}`;
    page.done({ status: 'failed', reason, detail });
  }
}

/** What all pages cover, by address. */
function merge({ pages, toSlot, needed, request }: Page): ScanOutcome {
  const all = [...pages.values()];
  let covered: Uint8Array = NOTHING;
  for (const page of all) {
    if (page.covered.length > 0 && (covered.length === 0 || Buffer.compare(page.covered, covered) < 0)) {
      covered = page.covered;
    }
  }
  const byAddress = new Map<string, ScannedRecord[]>();
  for (const { records } of all) {
    for (const record of records) {
      if (covered.length > 0 && Buffer.compare(record.address, covered) > 0) break;
      const name = Buffer.from(record.address).toString('latin1');
      const same = byAddress.get(name);
      if (same === undefined) byAddress.set(name, [record]);
      else same.push(record);
    }
  }
  const names = [...byAddress.keys()].sort();
  const keys = names.map((name) => keyOf(byAddress.get(name) as ScannedRecord[], needed));
  return { status: 'ok', keys, next: nextPlace(covered, toSlot, request.toSlot ?? SLOT_MAX) };
}

function keyOf(records: readonly ScannedRecord[], needed: number): ScannedKey {
  const [first] = records as [ScannedRecord];
  const isAgreed = records.length === needed && records.every((record) => isSame(record, first));
  const key = Buffer.from(decodeAddress(first.address).key);
  const state = !isAgreed ? 'differs' : first.live ? 'live' : 'dead';
  return { key, address: first.address, state, expires: first.expires };
}

function isSame(left: ScannedRecord, right: ScannedRecord): boolean {
  return left.live === right.live && left.hash.every((word, i) => word === right.hash[i]);
}

function nextPlace(covered: Uint8Array, toSlot: number, last: number): ScanPlace | undefined {
  if (covered.length > 0) return { slot: slotOfAddress(covered), after: covered };
  return toSlot < last ? { slot: toSlot + 1, after: NOTHING } : undefined;
}
