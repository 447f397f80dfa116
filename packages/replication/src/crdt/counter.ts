/**
 * Counters: string records to which several actors add without losing each other's additions (a PN-counter on a register).
 *
 *   values   B@3 "10"      the base, written by SET; none: 0
 *            A@7 +5        what A has added       value = 10 + 5 - 2
 *            C@2 -2        what C has added
 *
 * The record merges by the plain dotted rule. An addition supersedes the actor's own delta alone; a SET supersedes the base and
 * all deltas that it has seen, and what it has not seen stays on top (crdt/absorbed.ts). The value is the winner among the
 * bases plus all deltas: each addition counts until a write that had seen it superseded it, and a request that two
 * coordinators have run counts once.
 *
 * A base that is no number hides the deltas that were added unseen; the next SET supersedes them. Each part expires by its own
 * deadline; an addition takes over the deadline of what it adds to.
 */
import { crc32 } from '../checksum.ts';
import { isDue, isShown } from '../deadline.ts';
import type { Dot } from '../dot.ts';
import { asBuffer } from '../encoding.ts';
import { type HybridTime, wallMsOf } from '../hybrid-clock.ts';
import type { DottedRecord, DottedValue, LiveValue } from '../record.ts';
import { VersionVector } from '../version-vector.ts';
import { absorbedIn } from './absorbed.ts';
import { formatDecimal, parseDecimal } from './decimal.ts';
import {
  countIds,
  type Delta,
  decodeDelta,
  eachId,
  encodeDelta,
  holdsId,
  ID_BYTES,
  IDS_MAX,
  remembers,
  withId,
} from './delta.ts';

/** A request is not repeated this long after the delta that remembers it: longer than any may take. */
const REPEATED_WITHIN_MS = 120_000;

export interface Addition {
  readonly amount: bigint;
  /** See idOfRequest. */
  readonly id: Buffer;
  /** Another coordinator may have run the request, or may yet. */
  readonly repeated: boolean;
  readonly dot: Dot;
  readonly hybridTime: HybridTime;
  readonly nowMs: number;
}

interface ShownDelta {
  readonly value: LiveValue;
  readonly delta: Delta;
}

export function isCounter(record: DottedRecord): boolean {
  return record.values.some((value) => value.delta);
}

/** Some coordinator has run the request with this id already. */
export function hasRun(record: DottedRecord, id: Buffer): boolean {
  return record.values.some(
    (value) => value.delta && value.bytes !== undefined && remembers(decodeDelta(value.bytes), id),
  );
}

/** `base`, the winner of the record's registers as `record.ts` finds it, with what was added on top. */
export function counterValue(record: DottedRecord, base: LiveValue | undefined, nowMs: number): LiveValue | undefined {
  const shown = shownDeltas(record, nowMs);
  if (shown.length === 0) return base;
  const start = base === undefined ? 0n : parseDecimal(asBuffer(base.bytes).toString('latin1'));
  if (typeof start !== 'bigint') return base;
  const bytes = Buffer.from(formatDecimal(start + totalOf(record, shown)), 'latin1');
  return { ...newestOf(base, shown), bytes };
}

function shownDeltas(record: DottedRecord, nowMs: number): ShownDelta[] {
  const shown: ShownDelta[] = [];
  for (const value of record.values) {
    if (value.delta && isShown(value, nowMs)) shown.push({ value, delta: decodeDelta(value.bytes) });
  }
  return shown;
}

/** What a reader sees of where the value comes from: the latest part, and a deadline that holds for all of them. */
function newestOf(base: LiveValue | undefined, shown: readonly ShownDelta[]): DottedValue {
  let newest = base ?? (shown[0] as ShownDelta).value;
  for (const { value } of shown) if (value.hybridTime >= newest.hybridTime) newest = value;
  const { deadlines } = deadlineBearer(
    base,
    shown.map(({ value }) => value),
  ) as DottedValue;
  return { ...newest, delta: false, deadlines, extensions: undefined };
}

/** The part whose deadline is the counter's: the base; without one, the delta that stays longest. */
function deadlineBearer(base: DottedValue | undefined, deltas: readonly DottedValue[]): DottedValue | undefined {
  if (base !== undefined) return base;
  let bearer: DottedValue | undefined;
  for (const value of deltas) if (bearer === undefined || lastsLonger(value, bearer)) bearer = value;
  return bearer;
}

function lastsLonger(left: DottedValue, right: DottedValue): boolean {
  if (left.deadlines.length === 0 || right.deadlines.length === 0) return right.deadlines.length > 0;
  return Math.max(...left.deadlines.map(({ atMs }) => atMs)) > Math.max(...right.deadlines.map(({ atMs }) => atMs));
}

function totalOf(record: DottedRecord, shown: readonly ShownDelta[]): bigint {
  const absorbed = absorbedIn(record.values);
  let total = 0n;
  for (const { value, delta } of shown) {
    const seen = absorbed.get(value.dot.actor);
    total += delta.sum - (seen !== undefined && seen.counter >= delta.start ? seen.sum : 0n);
  }
  return shown.length < 2 ? total : total - twiceCounted(shown);
}

/** Sum of the additions whose request is in an earlier delta too. */
function twiceCounted(shown: readonly ShownDelta[]): bigint {
  const seen = new Set<string>();
  let twice = 0n;
  for (const { delta } of shown) {
    for (const groups of [delta.recent, delta.repeated]) {
      eachId(groups, (id, amount) => {
        const name = id.toString('latin1');
        if (seen.has(name)) twice += amount;
        else seen.add(name);
      });
    }
  }
  return twice;
}

/** The record after one addition. `base`: as in `counterValue`. The caller has made sure that it is a number. */
export function addToCounter(
  record: DottedRecord | undefined,
  base: LiveValue | undefined,
  addition: Addition,
): DottedRecord {
  const { dot, hybridTime, nowMs } = addition;
  const held = record?.values ?? [];
  const own = held.find((value) => value.delta && value.dot.actor === dot.actor);
  const others = held.filter((value) => value.delta && value !== own && !isDue(value, nowMs));
  const current = own !== undefined && !isDue(own, nowMs) ? own : undefined;
  const bearer = deadlineBearer(base, current === undefined ? others : [current]);
  const bytes = encodeDelta(grown(current, others, addition));
  const value: DottedValue = {
    dot,
    hybridTime,
    tombstone: false,
    delta: true,
    deadlines: bearer?.deadlines ?? [],
    checksum: crc32(bytes),
    lengthBytes: bytes.length,
    bytes,
    extensions: undefined,
  };
  const context = (record?.context ?? VersionVector.EMPTY).with(dot);
  return {
    type: 0,
    context,
    values: placed(
      held.filter((each) => each !== own),
      value,
    ),
  };
}

/** Values ascend by dot; an actor has one delta, but may have registers of earlier dots. */
function placed(values: DottedValue[], value: DottedValue): DottedValue[] {
  let at = values.length;
  while (at > 0 && (values[at - 1] as DottedValue).dot.actor > value.dot.actor) at--;
  values.splice(at, 0, value);
  return values;
}

function grown(own: DottedValue | undefined, others: readonly DottedValue[], addition: Addition): Delta {
  const { amount, id, repeated, dot, hybridTime } = addition;
  const before: Delta =
    own?.bytes === undefined ? { start: dot.counter, sum: 0n, recent: [], repeated: [] } : decodeDelta(own.bytes);
  const isStale = own !== undefined && wallMsOf(hybridTime) - wallMsOf(own.hybridTime) > REPEATED_WITHIN_MS;
  const kept = isStale ? { ...before, recent: [] } : withMetRepeats(before, others);
  return {
    start: kept.start,
    sum: kept.sum + amount,
    recent: repeated ? kept.recent : withId(kept.recent, amount, id),
    repeated: repeated ? withId(kept.repeated, amount, id) : kept.repeated,
  };
}

/** The oldest id, about to be forgotten, is kept among the repeated if another coordinator has run its request too. */
function withMetRepeats(delta: Delta, others: readonly DottedValue[]): Delta {
  const oldest = delta.recent[0];
  if (others.length === 0 || oldest === undefined || countIds(delta.recent) < IDS_MAX) return delta;
  const id = oldest.ids.subarray(0, ID_BYTES);
  const isMet = others.some((value) => value.bytes !== undefined && holdsId(decodeDelta(value.bytes).repeated, id));
  return isMet
    ? { ...delta, recent: withoutFirst(delta.recent), repeated: withId(delta.repeated, oldest.amount, id) }
    : delta;
}

function withoutFirst([first, ...rest]: Delta['recent']): Delta['recent'] {
  const left = first === undefined ? undefined : first.ids.subarray(ID_BYTES);
  return first === undefined || left === undefined || left.length === 0
    ? rest
    : [{ amount: first.amount, ids: left }, ...rest];
}
