/**
 * Which actor this node writes as, slot by slot.
 *
 * A tenure is a random number that a node mints for one slot, durably and never again. "A context says (A, c)" means
 * "all that A issued for this record up to c", which is true only while A's node holds all that A issued, or
 * descendants. As soon as that may be false the node must stop writing as A: else its next dot claims to have seen a
 * write that it has lost, and a merge elsewhere throws that write away. So a tenure is retired, and a new one is minted
 * before the node's next dot in the slot, because of:
 *
 *   first-use         the slot has never had one here
 *   drop              data of the slot was dropped: released, hints delivered and removed, quarantine
 *   failed-read       a record of the slot could not be read
 *   tail-doubt        the log's tail may have lost writes that peers have seen
 *   engine-failure    a sync or write failed before
 *   new-directory     the data directory is new, restored or copied
 *   peer-knows-more   a peer names a counter that this node has not issued, or a tenure of its own that it does not know
 *   missing-locally   a peer names a dot of the current tenure for a record in which this node does not hold it
 *
 * Invariants: an actor that was retired never becomes current again. A slot has no current actor, or one minted in the
 * table's era. This table is pure: the node stores `encode(slot)` in the same batch as what the change goes with (the
 * first dot of a new tenure; the drop), and the era, synced, before the first dot after `retireAll`. docs/formats.md
 * "Node-local area".
 */
import { ACTOR_BYTES, type Actor, formatActor, makeActor, memberNumberOf } from './dot.ts';
import { ByteReader, ByteWriter } from './encoding.ts';
import type { Random } from './random.ts';
import type { VersionVector } from './version-vector.ts';

export type TenureReason =
  | 'first-use'
  | 'drop'
  | 'failed-read'
  | 'tail-doubt'
  | 'engine-failure'
  | 'new-directory'
  | 'peer-knows-more'
  | 'missing-locally';

export interface TenureTableOptions {
  /** The node's permanent number in the ring, u16. */
  readonly memberNumber: number;
  /** As stored; 0 in a new directory. Tenures of earlier eras are not taken up again. */
  readonly era: number;
  /** Why the present era began; for people. */
  readonly eraReason?: TenureReason;
}

/** What a state that comes in says about this node's own writes to one record. */
export interface TenureEvidence {
  readonly incoming: VersionVector;
  /** The context of the record here; undefined when it is absent or cannot be read. */
  readonly held: VersionVector | undefined;
  /** The highest counter that this node has issued, or may have (the lease's end after a restart). */
  readonly issuedUpTo: number;
}

interface SlotTenures {
  current: Actor | undefined;
  /** Own tenures of the slot that are known and must not be used again. */
  readonly former: Set<Actor>;
  due: TenureReason;
}

// On disk.
const FORMAT = 1;
const STATE_BYTES = 16;

export class TenureTable {
  readonly #memberNumber: number;
  #era: number;
  #eraReason: TenureReason;
  readonly #slots = new Map<number, SlotTenures>();

  constructor(options: TenureTableOptions) {
    this.#memberNumber = options.memberNumber;
    this.#era = options.era;
    this.#eraReason = options.eraReason ?? 'tail-doubt';
  }

  get era(): number {
    return this.#era;
  }

  /** The actor to issue dots as; undefined: mint one first. */
  current(slot: number): Actor | undefined {
    return this.#slots.get(slot)?.current;
  }

  /** Why a tenure must be minted before the next dot in the slot; undefined: it has one. */
  dueBecause(slot: number): TenureReason | undefined {
    const tenures = this.#slots.get(slot);
    if (tenures === undefined) return 'first-use';
    return tenures.current === undefined ? tenures.due : undefined;
  }

  /** A new tenure for a slot that has none. Store `encode(slot)` in the batch of its first dot. */
  mint(slot: number, random: Random): Actor {
    const tenures = this.#at(slot);
    if (tenures.current !== undefined) throw new Error(`slot ${slot} has tenure ${formatActor(tenures.current)}`);
    const actor = makeActor({
      memberNumber: this.#memberNumber,
      tenureHigh: random.uint32(),
      tenureLow: random.uint32(),
    });
    if (tenures.former.has(actor)) return this.mint(slot, random);
    tenures.current = actor;
    return actor;
  }

  /** Ends the slot's tenure, if it has one. Store `encode(slot)` in the batch of what makes it necessary. */
  retire(slot: number, reason: TenureReason): void {
    const tenures = this.#slots.get(slot);
    if (tenures?.current === undefined) return;
    tenures.former.add(tenures.current);
    tenures.current = undefined;
    tenures.due = reason;
  }

  /** Ends every slot's tenure, loaded or not. Returns the new era: store it, synced, before the next dot. */
  retireAll(reason: TenureReason): number {
    for (const slot of this.#slots.keys()) this.retire(slot, reason);
    this.#eraReason = reason;
    this.#era++;
    return this.#era;
  }

  /** Takes up a tenure of the present era, and the slot's former ones, as they were stored. */
  load(slot: number, actor: Actor | undefined, former: Iterable<Actor> = []): void {
    this.#slots.set(slot, { current: actor, former: new Set(former), due: 'drop' });
  }

  /**
   * Looks for evidence, in a state that came in, that this node has forgotten writes of its own; retires the tenure
   * if so and says why. Call it before the state is merged; when it answers, store `encode(slot)` with the merge.
   */
  observe(slot: number, evidence: TenureEvidence): TenureReason | undefined {
    const { incoming } = evidence;
    let reason: TenureReason | undefined;
    for (let i = 0; i < incoming.size; i++) {
      const actor = incoming.actorAt(i);
      if (memberNumberOf(actor) !== this.#memberNumber) continue;
      reason = this.#examine(slot, actor, incoming.counterAt(i), evidence) ?? reason;
    }
    if (reason !== undefined) this.retire(slot, reason);
    return reason;
  }

  #examine(slot: number, actor: Actor, counter: number, evidence: TenureEvidence): TenureReason | undefined {
    const tenures = this.#at(slot);
    if (actor === tenures.current) {
      if (counter > evidence.issuedUpTo) return 'peer-knows-more';
      return counter > (evidence.held?.get(actor) ?? 0) ? 'missing-locally' : undefined;
    }
    if (tenures.former.has(actor)) return undefined;
    // Remembered, so that it is a surprise once only.
    tenures.former.add(actor);
    return 'peer-knows-more';
  }

  #at(slot: number): SlotTenures {
    let tenures = this.#slots.get(slot);
    if (tenures === undefined) {
      tenures = { current: undefined, former: new Set(), due: 'first-use' };
      this.#slots.set(slot, tenures);
    }
    return tenures;
  }

  /** The slot's state as it is to be stored. */
  encode(slot: number): Buffer {
    const tenures = this.#at(slot);
    const writer = new ByteWriter(STATE_BYTES + ACTOR_BYTES * tenures.former.size);
    writer.uint8(FORMAT);
    writer.uint32(this.#era);
    writer.uint8(tenures.current === undefined ? 0 : 1);
    if (tenures.current !== undefined) writer.latin1(tenures.current);
    writer.varint(tenures.former.size);
    for (const actor of tenures.former) writer.latin1(actor);
    return writer.finish();
  }

  /** Takes up what `encode` gave. A tenure of an earlier era becomes a former one. Throws REPLICATION_BAD_STATE. */
  loadEncoded(slot: number, bytes: Uint8Array): void {
    const reader = new ByteReader(bytes, 'REPLICATION_BAD_STATE');
    const format = reader.uint8();
    if (format !== FORMAT) reader.fail(`tenure format ${format}, known is ${FORMAT}`);
    const era = reader.uint32();
    if (era > this.#era) reader.fail(`tenure of era ${era}, the present one is ${this.#era}`);
    const hasCurrent = reader.uint8();
    if (hasCurrent > 1) reader.fail('neither a tenure nor none');
    const actor = hasCurrent === 1 ? (reader.latin1(ACTOR_BYTES) as Actor) : undefined;
    const former: Actor[] = [];
    for (let left = reader.count(ACTOR_BYTES); left > 0; left--) former.push(reader.latin1(ACTOR_BYTES) as Actor);
    reader.end();
    this.load(slot, actor, former);
    if (era < this.#era) this.retire(slot, this.#eraReason);
  }
}
