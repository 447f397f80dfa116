/**
 * The clockwise walk: from a place on the circle of virtual nodes, the distinct nodes in the order they are met. Where
 * zones are given, a zone is used again only after every other has been: the first node of each new zone is taken, the
 * rest wait for the next round.
 */
import type { Member } from './member.ts';

/** A node without a zone is a zone of its own. */
export function zoneOf(member: Member): string {
  return member.zone === undefined ? `node ${member.id}` : `zone ${member.zone}`;
}

/** The first `count` of `met`, which are distinct and in the order of the walk, spread over zones beginning with `used`. */
export function spreadOverZones(met: readonly Member[], count: number, used: Iterable<string> = []): Member[] {
  const chosen: Member[] = [];
  let waiting = met;
  const zones = new Set(used);
  while (waiting.length > 0 && chosen.length < count) {
    const passedBy: Member[] = [];
    for (const member of waiting) {
      const zone = zoneOf(member);
      if (zones.has(zone) || chosen.length >= count) passedBy.push(member);
      else {
        zones.add(zone);
        chosen.push(member);
      }
    }
    waiting = passedBy;
    zones.clear();
  }
  return chosen;
}

/** The distinct members of `circle` from `start` on, once around; stops when `isEnough` says so. */
export function distinctFrom(
  circle: readonly Member[],
  start: number,
  isEnough: (met: ReadonlySet<Member>) => boolean,
): Member[] {
  const met = new Set<Member>();
  for (let step = 0; step < circle.length && !isEnough(met); step++) {
    met.add(circle[(start + step) % circle.length] as Member);
  }
  return [...met];
}
