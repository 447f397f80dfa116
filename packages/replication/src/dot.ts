/**
 * Who wrote, and which of its writes: a dot is the identity of one write, issued once, ever.
 *
 * An actor is (member, tenure): the member's permanent number in the ring, and a number that the member minted for one
 * slot (tenure.ts). It is held as a string of ten latin1 characters, its bytes: comparing two actors is comparing their
 * bytes, and an actor is a map key as it stands.
 *
 *   byte  0-1  member number, big-endian        byte 2-9  tenure, big-endian, random
 */

declare const actorBrand: unique symbol;

/** Ten latin1 characters, one per byte. */
export type Actor = string & { readonly [actorBrand]: true };

/** On disk and on the wire: docs/formats.md "Records". */
export const ACTOR_BYTES = 10;
/** Counters start at 1; 0 in a version vector means "nothing". */
export const COUNTER_MAX = Number.MAX_SAFE_INTEGER;

export interface Dot {
  readonly actor: Actor;
  /** 1 to 2^53 - 1, ascending per actor, with gaps: one sequence serves all slots of a node. */
  readonly counter: number;
}

export interface ActorParts {
  /** The node's permanent number in the ring, u16. */
  readonly memberNumber: number;
  readonly tenureHigh: number;
  readonly tenureLow: number;
}

/** Throws RangeError for a part that is no u16 or u32. */
export function makeActor(parts: ActorParts): Actor {
  const bytes = Buffer.allocUnsafe(ACTOR_BYTES);
  bytes.writeUInt16BE(parts.memberNumber, 0);
  bytes.writeUInt32BE(parts.tenureHigh, 2);
  bytes.writeUInt32BE(parts.tenureLow, 6);
  return bytes.toString('latin1') as Actor;
}

export function memberNumberOf(actor: Actor): number {
  return actor.charCodeAt(0) * 0x100 + actor.charCodeAt(1);
}

/** 16 hex digits, for people. */
export function tenureHexOf(actor: Actor): string {
  return Buffer.from(actor, 'latin1').toString('hex', 2);
}

/** `3:9f86d081884c7d65`, for people. */
export function formatActor(actor: Actor): string {
  return `${memberNumberOf(actor)}:${tenureHexOf(actor)}`;
}

/** `3:9f86d081884c7d65@17`, for people. */
export function formatDot(dot: Dot): string {
  return `${formatActor(dot.actor)}@${dot.counter}`;
}

/** By actor, then by counter: the order of siblings in a record. */
export function compareDots(left: Dot, right: Dot): number {
  if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1;
  return left.counter - right.counter;
}
