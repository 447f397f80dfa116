/**
 * What clients asked for and were told, and what became of it as the stores show it. Everything that is checked about a key is
 * checked against this.
 *
 * Values are unique texts, so that a value names the write that it comes from. A write that was routed to a second coordinator may
 * have happened twice: then it has two dots.
 */
import { type Consistency, type DottedValue, formatDot, type VersionVector } from '@kvd/replication';
import { InvariantViolation } from './invariant.ts';

export type WriteResult = 'pending' | 'ok' | 'failed' | 'indeterminate';

export interface Birth {
  readonly dot: DottedValue['dot'];
  /** Of the record when this dot was first seen in it. */
  readonly context: VersionVector;
}

export interface WriteRecord {
  readonly number: number;
  readonly key: string;
  /** Undefined: a delete. */
  readonly value: string | undefined;
  readonly supersedes: 'held' | 'nothing' | VersionVector;
  readonly entry: number;
  readonly consistency: Consistency;
  readonly startMs: number;
  endMs: number;
  result: WriteResult;
  detail: string;
  /** As the acknowledgement told it. */
  context: VersionVector | undefined;
  readonly births: Birth[];
  /** All disks that held it were taken away: no promise is left. */
  excused: boolean;
}

export interface ReadRecord {
  readonly key: string;
  readonly entry: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly result: string;
}

const READS_KEPT_PER_KEY = 40;

export class History {
  readonly #writes = new Map<string, WriteRecord[]>();
  readonly #byValue = new Map<string, WriteRecord>();
  readonly #reads = new Map<string, ReadRecord[]>();
  readonly #tombstones = new Map<string, Birth[]>();
  #count = 0;

  get keys(): readonly string[] {
    return [...this.#writes.keys()].sort();
  }

  get all(): readonly WriteRecord[] {
    return [...this.#writes.values()].flat();
  }

  writesOf(key: string): readonly WriteRecord[] {
    return this.#writes.get(key) ?? [];
  }

  begin(write: Pick<WriteRecord, 'key' | 'value' | 'supersedes' | 'entry' | 'consistency' | 'startMs'>): WriteRecord {
    const record: WriteRecord = {
      ...write,
      number: this.#count++,
      endMs: Number.POSITIVE_INFINITY,
      result: 'pending',
      detail: '',
      context: undefined,
      births: [],
      excused: false,
    };
    const list = this.#writes.get(write.key);
    if (list === undefined) this.#writes.set(write.key, [record]);
    else list.push(record);
    if (write.value !== undefined) this.#byValue.set(write.value, record);
    return record;
  }

  /** A tombstone was seen for the first time. Nothing in it says which delete it is of, and one may have been run twice. */
  noteTombstone(key: string, birth: Birth): void {
    const list = this.#tombstones.get(key);
    if (list === undefined) this.#tombstones.set(key, [birth]);
    else list.push(birth);
  }

  tombstonesOf(key: string): readonly Birth[] {
    return this.#tombstones.get(key) ?? [];
  }

  /** Whether a write that is known to have seen the dot has been stored somewhere. */
  wasSuperseded(key: string, dot: DottedValue['dot']): boolean {
    if (this.tombstonesOf(key).some(({ context, dot: own }) => context.covers(dot) && !isSame(own, dot))) return true;
    return this.writesOf(key).some((write) => hasSeen(write, dot));
  }

  noteRead(read: ReadRecord): void {
    const list = this.#reads.get(read.key) ?? [];
    if (list.length === 0) this.#reads.set(read.key, list);
    list.push(read);
    if (list.length > READS_KEPT_PER_KEY) list.shift();
  }

  /** The write that a value found under a key comes from. Throws I3 when there was none, I9 when it was said to have failed. */
  writeOf(key: string, value: DottedValue, where: string): WriteRecord | undefined {
    if (value.bytes === undefined) return undefined;
    const text = Buffer.from(value.bytes).toString('latin1');
    const write = this.#byValue.get(text);
    if (write === undefined || write.key !== key) {
      const origin = write === undefined ? 'never written' : `written under ${write.key}`;
      throw new InvariantViolation('I3 no invention', `${where} has ${JSON.stringify(text)}, ${origin}`, key);
    }
    if (write.result === 'failed') {
      const message = `${where} has ${text}, whose write was said to have failed (${write.detail})`;
      throw new InvariantViolation('I9 error honesty', message, key);
    }
    return write;
  }

  /** All that is known of a key, for people. */
  describe(key: string): string {
    const writes = this.writesOf(key).map((write) => ({ at: write.startMs, text: describeWrite(write) }));
    const reads = (this.#reads.get(key) ?? []).map((read) => ({
      at: read.startMs,
      text: `${read.startMs.toFixed(1)}-${read.endMs.toFixed(1)} ms at n${read.entry}: read ${read.result}`,
    }));
    const tombstones = this.tombstonesOf(key).map(({ dot, context }) => `  tombstone ${formatDot(dot)} in ${context}`);
    const ordered = [...writes, ...reads].sort((a, b) => a.at - b.at).map(({ text }) => `  ${text}`);
    return [...ordered, ...tombstones].join('\n');
  }
}

/** Whether the write may have superseded the dot; a plain one also its own, when a second coordinator ran it after the first. */
function hasSeen({ supersedes, births }: WriteRecord, dot: DottedValue['dot']): boolean {
  if (births.length === 0 || supersedes === 'nothing') return false;
  if (supersedes !== 'held') return supersedes.covers(dot);
  return births.some((birth) => birth.context.covers(dot) && !isSame(birth.dot, dot));
}

export function isSame(left: DottedValue['dot'], right: DottedValue['dot']): boolean {
  return left.actor === right.actor && left.counter === right.counter;
}

function describeWrite(write: WriteRecord): string {
  const { w, mode } = write.consistency;
  const what = write.value === undefined ? 'delete' : `put ${write.value}`;
  const seen = typeof write.supersedes === 'string' ? write.supersedes : write.supersedes.toString();
  const dots = write.births.map(({ dot, context }) => `${formatDot(dot)} in ${context}`).join(', ');
  const end = Number.isFinite(write.endMs) ? write.endMs.toFixed(1) : '…';
  const told = write.context === undefined ? '' : ` context ${write.context}`;
  return `${write.startMs.toFixed(1)}-${end} ms at n${write.entry}: ${what} superseding ${seen}, W=${w} ${mode}: ${write.result}${write.detail === '' ? '' : ` (${write.detail})`}${told}; dots: ${dots === '' ? 'none seen' : dots}`;
}
