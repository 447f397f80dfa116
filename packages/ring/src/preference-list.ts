/** Whom to ask for a slot, in order: the owners, then those who stand in for them. */
import type { Member } from './member.ts';
import type { Ring } from './ring.ts';
import { distinctFrom, spreadOverZones, zoneOf } from './walk.ts';

export interface PreferenceList {
  /** Ids of the first n of the slot's row, the primary first. */
  readonly owners: readonly string[];
  /** Ids of all other members, each once: the rest of the row, then the clockwise walk past it, other zones first. */
  readonly fallbacks: readonly string[];
}

/**
 * The preference list of a slot for `n` owners; fewer if the row is shorter. Made once per run and n, then always the
 * same object, so it may be asked for on each request.
 */
export function preferenceList(ring: Ring, slot: number, n: number): PreferenceList {
  return ring.preferenceList(slot, n);
}

/** `runIndex` is a place in `ring.runs()`; `n` at most the length of its row. */
export function computePreferenceList(ring: Ring, runIndex: number, n: number): PreferenceList {
  const runs = ring.runs();
  const memberOf = (id: string) => ring.member(id) as Member;
  const row = (runs[runIndex]?.row ?? []).map(memberOf);
  const circle = runs.map((run) => memberOf(run.row[0] as string));
  const met = distinctFrom(circle, runIndex, (soFar) => soFar.size === ring.members.length);
  // A member may be first for no slot (of tiny weight, or on its way out); it can hold a hint all the same.
  const past = [...new Set([...met, ...ring.members])].filter((member) => !row.includes(member));
  const walk = spreadOverZones(past, past.length, row.map(zoneOf));
  const ids = (members: readonly Member[]) => Object.freeze(members.map((member) => member.id));
  return Object.freeze({ owners: ids(row.slice(0, n)), fallbacks: ids([...row.slice(n), ...walk]) });
}
