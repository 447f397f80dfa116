/**
 * The contents of one file of the memory disk: what a reader sees now, and how to get back to what is on the platter.
 *
 *     platter image ──log[0]──► … ──log[n-1]──► bytes (the page cache, what reads see)
 *
 * An entry keeps what it overwrote, so an append keeps nothing, and the platter image costs nothing until a crash asks
 * for it. Invariants: `bytes` beyond `size` is zero; undoing the log from its end gives the platter image; the first
 * entry of the log is never durable.
 */

export const PAGE_BYTES = 4096;

/**
 * `pending`: not yet synced. `lost`: a sync failed on it, and the kernel has marked its pages clean: readable, and never
 * on the platter. `durable`: synced, but behind a lost one.
 */
type EntryState = 'pending' | 'lost' | 'durable';

interface LogEntry {
  readonly kind: 'write' | 'truncate';
  /** Of a truncate: the new size. */
  readonly position: number;
  readonly length: number;
  readonly sizeBefore: number;
  /** The bytes from `position` on that this entry overwrote or cut off. */
  readonly before: Buffer | undefined;
  state: EntryState;
}

/** A part of a write that reaches the platter: offsets from the write's start, end excluded. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const WHOLE = 'whole';
const NOTHING: readonly Range[] = [];
type Fate = typeof WHOLE | readonly Range[];

export interface InodeCrash {
  readonly unsyncedBytes: number;
  readonly droppedBytes: number;
  readonly tornWrites: number;
}

export class MemoryInode {
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;
  #log: LogEntry[] = [];
  /** Entries that have left the log; so `#left + #log.length` names a moment in the file's history. */
  #left = 0;

  get size(): number {
    return this.#size;
  }

  get isDirty(): boolean {
    return this.#log.length > 0;
  }

  read(target: Uint8Array, position: number): number {
    if (position >= this.#size) return 0;
    return this.#bytes.copy(target, 0, position, Math.min(this.#size, position + target.length));
  }

  write(bytes: Uint8Array, position: number): void {
    const before = this.#copyOf(position, position + bytes.length);
    this.#log.push({
      kind: 'write',
      position,
      length: bytes.length,
      sizeBefore: this.#size,
      before,
      state: 'pending',
    });
    this.#put(bytes, position);
  }

  truncate(sizeBytes: number): void {
    const before = this.#copyOf(sizeBytes, this.#size);
    this.#log.push({
      kind: 'truncate',
      position: sizeBytes,
      length: 0,
      sizeBefore: this.#size,
      before,
      state: 'pending',
    });
    this.#resize(sizeBytes);
  }

  /** The present moment, for `commit` and `failSync`: a sync covers what was written before it was asked for. */
  mark(): number {
    return this.#left + this.#log.length;
  }

  /** A sync asked for at `mark` has succeeded. */
  commit(mark: number): void {
    const covered = mark - this.#left;
    for (let i = 0; i < covered; i++) {
      const entry = this.#log[i] as LogEntry;
      if (entry.state === 'pending') entry.state = 'durable';
    }
    this.#forgetDurable();
  }

  /**
   * A sync asked for at `mark` has failed. With `dropPages` readers see the old bytes at once; without, they see the new
   * ones until a crash, and no later sync writes them (what Linux does: the pages are clean now).
   */
  failSync(mark: number, dropPages: boolean): void {
    const covered = mark - this.#left;
    for (let i = 0; i < covered; i++) {
      const entry = this.#log[i] as LogEntry;
      if (entry.state === 'pending') entry.state = 'lost';
    }
    if (dropPages) this.#dropLost();
  }

  /** Power loss: `random` decides what of the unsynced writes is on the platter; without it, nothing is. */
  crash(random: (() => number) | undefined): InodeCrash {
    const log = this.#log;
    const finalSize = this.#size;
    const fates = random === undefined ? log.map(dropFate) : chooseFates(log, random);
    this.#replay(log, fates);
    const zeroTail = random !== undefined && finalSize > this.#size && random() < 0.25;
    if (zeroTail) this.#resize(finalSize);
    this.#left += log.length;
    this.#log = [];
    return summarize(log, fates);
  }

  unsyncedBytes(): number {
    return summarize(this.#log, this.#log.map(dropFate)).unsyncedBytes;
  }

  #dropLost(): void {
    const log = this.#log;
    this.#log = [];
    const contents = this.#undo(log);
    log.forEach((entry, i) => {
      const bytes = contents[i];
      if (entry.state === 'lost') this.#left++;
      else if (entry.kind === 'truncate') this.truncate(entry.position);
      else if (bytes !== undefined) this.write(bytes, entry.position);
      const again = this.#log.at(-1);
      if (entry.state === 'durable' && again !== undefined) again.state = 'durable';
    });
    this.#forgetDurable();
  }

  #forgetDurable(): void {
    let count = 0;
    while (this.#log[count]?.state === 'durable') count++;
    if (count === this.#log.length) this.#log = [];
    else this.#log.splice(0, count);
    this.#left += count;
  }

  #replay(log: readonly LogEntry[], fates: readonly Fate[]): void {
    const contents = this.#undo(log);
    log.forEach((entry, i) => {
      const fate = fates[i] as Fate;
      if (entry.kind === 'truncate') {
        if (fate === WHOLE) this.#resize(entry.position);
        return;
      }
      const bytes = contents[i] as Buffer;
      if (fate === WHOLE) this.#put(bytes, entry.position);
      else for (const { from, to } of fate) this.#put(bytes.subarray(from, to), entry.position + from);
    });
  }

  /** Back to the platter image; returns what each write had written. */
  #undo(log: readonly LogEntry[]): (Buffer | undefined)[] {
    const contents: (Buffer | undefined)[] = new Array(log.length);
    for (let i = log.length - 1; i >= 0; i--) {
      const { kind, position, length, sizeBefore, before } = log[i] as LogEntry;
      if (kind === 'write') contents[i] = Buffer.from(this.#bytes.subarray(position, position + length));
      this.#resize(sizeBefore);
      if (before !== undefined) this.#bytes.set(before, position);
    }
    return contents;
  }

  #put(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#reserve(end);
    this.#bytes.set(bytes, position);
    if (end > this.#size && bytes.length > 0) this.#size = end;
  }

  #resize(sizeBytes: number): void {
    this.#reserve(sizeBytes);
    if (sizeBytes < this.#size) this.#bytes.fill(0, sizeBytes, this.#size);
    this.#size = sizeBytes;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(sizeBytes, this.#bytes.length * 2, 256));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }

  #copyOf(from: number, to: number): Buffer | undefined {
    const end = Math.min(to, this.#size);
    return from < end ? Buffer.from(this.#bytes.subarray(from, end)) : undefined;
  }
}

function dropFate(entry: LogEntry): Fate {
  return entry.state === 'durable' ? WHOLE : NOTHING;
}

type Style = (log: readonly LogEntry[], fates: Fate[], random: () => number) => void;

/** A whole crash in one manner is likelier to reach the odd states than a coin for each page of each file. */
const STYLES: readonly Style[] = [
  () => {},
  (log, fates) => log.forEach((entry, i) => void (isPending(entry) && (fates[i] = WHOLE))),
  keepPrefix,
  keepPages,
];

function chooseFates(log: readonly LogEntry[], random: () => number): Fate[] {
  const fates = log.map(dropFate);
  const style = STYLES[Math.floor(random() * STYLES.length)] as Style;
  style(log, fates, random);
  return fates;
}

function isPending(entry: LogEntry): boolean {
  return entry.state === 'pending';
}

/** The disk got so far and no further: the last write is torn at any byte. */
function keepPrefix(log: readonly LogEntry[], fates: Fate[], random: () => number): void {
  const total = log.reduce((sum, entry) => sum + (isPending(entry) ? entry.length : 0), 0);
  let left = Math.floor(random() * (total + 1));
  log.forEach((entry, i) => {
    if (!isPending(entry)) return;
    if (left > 0 && left >= entry.length) fates[i] = WHOLE;
    else fates[i] = left > 0 ? [{ from: 0, to: left }] : NOTHING;
    left = Math.max(0, left - entry.length);
  });
}

interface Piece extends Range {
  readonly entry: number;
}

/**
 * Each page was written back at some moment of its own, or never: it holds the writes up to that moment, and perhaps one
 * torn part of the next. So a later page may be there and an earlier one not, which leaves a hole of zeros or old bytes.
 */
function keepPages(log: readonly LogEntry[], fates: Fate[], random: () => number): void {
  const kept: Range[][] = log.map(() => []);
  for (const pieces of piecesByPage(log).values()) {
    const count = Math.floor(random() * (pieces.length + 1));
    pieces.forEach((piece, i) => {
      const ranges = kept[piece.entry] as Range[];
      if (i < count) ranges.push(piece);
      else if (i === count && random() < 0.25) ranges.push(tear(piece, random));
    });
  }
  let truncating = true;
  log.forEach((entry, i) => {
    if (!isPending(entry)) return;
    if (entry.kind === 'write') fates[i] = joinWhole(entry, kept[i] as Range[]);
    else if (truncating && random() < 0.5) fates[i] = WHOLE;
    else truncating = false;
  });
}

function piecesByPage(log: readonly LogEntry[]): Map<number, Piece[]> {
  const pages = new Map<number, Piece[]>();
  log.forEach((entry, i) => {
    if (!isPending(entry)) return;
    for (let from = 0; from < entry.length; ) {
      const page = Math.floor((entry.position + from) / PAGE_BYTES);
      const to = Math.min(entry.length, (page + 1) * PAGE_BYTES - entry.position);
      const pieces = pages.get(page);
      if (pieces === undefined) pages.set(page, [{ entry: i, from, to }]);
      else pieces.push({ entry: i, from, to });
      from = to;
    }
  });
  return pages;
}

/** A start or an end of the piece, cut at any byte. */
function tear({ from, to }: Range, random: () => number): Range {
  const cut = from + Math.floor(random() * (to - from));
  return random() < 0.5 ? { from, to: cut } : { from: cut, to };
}

function joinWhole(entry: LogEntry, ranges: readonly Range[]): Fate {
  return keptBytes(entry, ranges) === entry.length ? WHOLE : ranges;
}

function keptBytes(entry: LogEntry, fate: Fate): number {
  return fate === WHOLE ? entry.length : fate.reduce((sum, range) => sum + range.to - range.from, 0);
}

function summarize(log: readonly LogEntry[], fates: readonly Fate[]): InodeCrash {
  let unsyncedBytes = 0;
  let droppedBytes = 0;
  let tornWrites = 0;
  log.forEach((entry, i) => {
    if (entry.state === 'durable') return;
    const kept = keptBytes(entry, fates[i] as Fate);
    unsyncedBytes += entry.length;
    droppedBytes += entry.length - kept;
    if (kept > 0 && kept < entry.length) tornWrites++;
  });
  return { unsyncedBytes, droppedBytes, tornWrites };
}
