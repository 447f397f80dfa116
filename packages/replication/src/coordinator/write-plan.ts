/**
 * Who plays which role in a write: decisions only, no messages.
 *
 * Invariants: a node has at most one role in a request. A fallback is taken only in sloppy mode, only if it can be reached
 * now, and never twice, whatever became of it.
 */
import { remainingMs } from '../deadline-queue.ts';
import type { Millis, Reachability } from '../effects.ts';
import type { Consistency, Durability, NodeId, ReplicateMessage } from '../messages.ts';
import type { Place, WriteEntry } from './write-entry.ts';

const NOBODY: readonly NodeId[] = Object.freeze([]);

/** Who is to hold the write, by what can be reached now: each owner, or the next fallback in its stead. */
export function assignRoles(entry: WriteEntry, self: NodeId, reach: Reachability): void {
  const { tally } = entry;
  tally.reset(entry.request.consistency);
  entry.nextFallback = 0;
  const own = entry.placeOfOwner(self);
  const durable = localDurability(entry.request.consistency) === 'sync';
  tally.expect(self, own === undefined ? 'fallback' : 'owner', durable);
  for (let i = 0; i < entry.placeCount; i++) {
    const place = entry.place(i);
    if (place !== own) place.ownerState = reach.reachable(place.owner) ? 'planned' : 'none';
  }
  if (own === undefined) standInMyself(entry, self);
  for (let i = 0; i < entry.placeCount; i++) {
    const place = entry.place(i);
    if (place !== own) assignPlace(entry, place, self, reach);
  }
}

/** The next fallback that can be reached and has no role yet; the tally expects it from now on. */
export function takeFallback(entry: WriteEntry, self: NodeId, reach: Reachability): NodeId | undefined {
  const { fallbacks, consistency } = entry.request;
  if (!entry.sloppy) return undefined;
  while (entry.nextFallback < fallbacks.length) {
    const node = fallbacks[entry.nextFallback++] as NodeId;
    if (node === self || entry.placeOfOwner(node) !== undefined || !reach.reachable(node)) continue;
    if (entry.tally.expect(node, 'fallback', remoteDurability(consistency) === 'sync')) return node;
  }
  return undefined;
}

/** Owners for whom a hint goes into the very batch of the local write. */
export function hintsOfTheBatch(entry: WriteEntry, self: NodeId): readonly NodeId[] {
  let hintFor: NodeId[] | undefined;
  for (let i = 0; i < entry.placeCount; i++) {
    const place = entry.place(i);
    const absent = place.ownerState === 'none' && place.standIn === undefined;
    if (!absent && place.standIn !== self) continue;
    place.hinted = true;
    hintFor ??= [];
    hintFor.push(place.owner);
  }
  return hintFor ?? NOBODY;
}

/** The state on its way to an owner, or to a fallback with the owner that the hint is for. */
export function replicateMessage(entry: WriteEntry, hintFor: NodeId | undefined, now: Millis): ReplicateMessage {
  const { stream, header, address, consistency } = entry.request;
  return {
    kind: 'replicate',
    stream,
    header: { ...header, remainingMs: remainingMs(entry.deadline, now) },
    purpose: 'write',
    hintFor,
    durability: remoteDurability(consistency),
    items: [{ address, record: entry.state }],
  };
}

/** DW=1 is met by the coordinator's own sync; only a larger one makes the others sync too. */
export function localDurability(consistency: Consistency): Durability {
  return consistency.dw > 0 ? 'sync' : consistency.durability;
}

function remoteDurability(consistency: Consistency): Durability {
  return consistency.dw > 1 ? 'sync' : consistency.durability;
}

/** The coordinator is a fallback itself: its copy is a hint, for the first absent owner or else for the primary. */
function standInMyself(entry: WriteEntry, self: NodeId): void {
  if (entry.placeOfStandIn(self) !== undefined) return;
  let chosen = entry.place(0);
  for (let i = entry.placeCount - 1; i >= 0; i--) if (entry.place(i).ownerState === 'none') chosen = entry.place(i);
  chosen.standIn = self;
}

function assignPlace(entry: WriteEntry, place: Place, self: NodeId, reach: Reachability): void {
  const reachable = place.ownerState === 'planned';
  const durable = remoteDurability(entry.request.consistency) === 'sync';
  if (reachable) entry.tally.expect(place.owner, 'owner', durable);
  if (place.standIn === self) return;
  place.standIn = reachable ? undefined : takeFallback(entry, self, reach);
  place.standInState = place.standIn === undefined ? 'none' : 'planned';
}
