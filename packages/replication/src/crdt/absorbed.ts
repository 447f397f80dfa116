/**
 * What a write has superseded of counters' deltas, kept with the write's value: per actor how far its additions were seen, and
 * their sum up to there.
 *
 * A delta is the sum of a whole run. Where somebody who had seen A's run up to dot 5 set the value anew, and A, not knowing,
 * goes on to dot 6, the delta of dot 6 survives, but only what was added after dot 5 must count: the sum at dot 6 less the sum
 * absorbed at dot 5. So each write that supersedes deltas, or values that tell of such writes, tells of them in its turn.
 *
 * A coordinator needs no such note of its own deltas if it keeps none: every later one of its own begins a new run.
 */
import { ACTOR_BYTES, type Actor } from '../dot.ts';
import { ByteReader, ByteWriter } from '../encoding.ts';
import type { DottedValue } from '../record.ts';
import { readDecimal, writeDecimal } from './decimal.ts';
import { sumOfDelta } from './delta.ts';

/** In the bag of extensions of a value; on disk and on the wire: docs/formats.md "Counters". */
const ABSORBED_TAG = 1;
const ENTRY_BYTES_MIN = ACTOR_BYTES + 1 + 2;

export interface Absorbed {
  readonly counter: number;
  readonly sum: bigint;
}

export type AbsorbedByActor = ReadonlyMap<Actor, Absorbed>;

/** How far the values tell that each actor's additions were superseded. */
export function absorbedIn(values: readonly DottedValue[]): AbsorbedByActor {
  const absorbed = new Map<Actor, Absorbed>();
  for (const value of values) if (value.extensions !== undefined) readInto(absorbed, value.extensions);
  return absorbed;
}

/**
 * The extensions of a value that is written by `writer` in place of `dropped`, while `kept` stay beside it; undefined when
 * there is nothing to tell.
 */
export function absorb(
  writer: Actor,
  dropped: readonly DottedValue[],
  kept: readonly DottedValue[],
): Uint8Array | undefined {
  if (!dropped.some((value) => value.delta || value.extensions !== undefined)) return undefined;
  const absorbed = new Map(absorbedIn(dropped));
  for (const value of dropped) {
    if (value.delta) note(absorbed, value.dot.actor, { counter: value.dot.counter, sum: sumOf(value) });
  }
  if (!kept.some((value) => value.delta && value.dot.actor === writer)) absorbed.delete(writer);
  return absorbed.size === 0 ? undefined : encode(absorbed);
}

function note(absorbed: Map<Actor, Absorbed>, actor: Actor, entry: Absorbed): void {
  if (entry.counter > (absorbed.get(actor)?.counter ?? 0)) absorbed.set(actor, entry);
}

/** Deltas are never stripped. */
function sumOf(value: DottedValue): bigint {
  return value.bytes === undefined ? 0n : sumOfDelta(value.bytes);
}

function encode(absorbed: AbsorbedByActor): Buffer {
  const list = new ByteWriter(64);
  list.varint(absorbed.size);
  for (const actor of [...absorbed.keys()].sort()) {
    const { counter, sum } = absorbed.get(actor) as Absorbed;
    list.latin1(actor);
    list.varint(counter);
    writeDecimal(list, sum);
  }
  const bag = new ByteWriter(80);
  bag.varint(ABSORBED_TAG);
  bag.sized(list.finish());
  return bag.finish();
}

function readInto(absorbed: Map<Actor, Absorbed>, extensions: Uint8Array): void {
  const bag = new ByteReader(extensions, 'REPLICATION_BAD_RECORD');
  while (bag.remaining > 0) {
    const tag = bag.varint();
    const bytes = bag.sized();
    if (tag === ABSORBED_TAG) readList(absorbed, new ByteReader(bytes, 'REPLICATION_BAD_RECORD'));
  }
}

function readList(absorbed: Map<Actor, Absorbed>, reader: ByteReader): void {
  for (let left = reader.count(ENTRY_BYTES_MIN); left > 0; left--) {
    const actor = reader.latin1(ACTOR_BYTES) as Actor;
    note(absorbed, actor, { counter: reader.varint(), sum: readDecimal(reader) });
  }
  reader.end();
}
