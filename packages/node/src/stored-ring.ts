/**
 * Whether a node's configuration fits the ring that it will use: pure.
 *
 * A ring names the ports at which the others look for a node, and the members with which it shares slots. A node that listens
 * elsewhere, or that was told of other members, would be alive and serve nothing, or be half of a second cluster.
 */
import type { Member, Ring } from '@kvd/ring';
import { NodeError } from './errors.ts';
import { isLoopback } from './loopback.ts';

/** What a node was given, of all that a ring says too. */
export interface GivenPlace {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly dataDirectory: string;
}

/** Throws NodeError NODE_BAD_CONFIG when the ring, made of `--initial-members` just now, has this node elsewhere. */
export function refuseOtherPlaceThanGiven(ring: Ring, given: GivenPlace): void {
  const difference = placeDifference(ring.member(given.id), given);
  if (difference === undefined) return;
  const { flag, inRing, now } = difference;
  const what = `--initial-members says that '${given.id}' has ${flag} ${inRing}, and ${flag} ${now} was given`;
  throw new NodeError('NODE_BAD_CONFIG', `${what}: make them the same`);
}

/**
 * Throws NodeError NODE_BAD_CONFIG when the stored ring has this node elsewhere or, while it is the first one, when
 * `members`, the parsed `--initial-members`, are not those that it was made of.
 */
export function refuseOtherConfigThanStored(ring: Ring, given: GivenPlace, members: readonly Member[]): void {
  const stored = `the data in ${given.dataDirectory}`;
  const difference = placeDifference(ring.member(given.id), given);
  if (difference !== undefined) {
    const { flag, inRing, now } = difference;
    const what = `${stored} is that of '${given.id}' with ${flag} ${inRing}, and ${flag} ${now} was given`;
    throw new NodeError('NODE_BAD_CONFIG', `${what}: use ${flag} ${inRing}, or another --data`);
  }
  if (ring.epoch !== 1) return;
  const [before, now] = [textOf(ring.members), textOf(members)];
  if (before === now) return;
  const what = `${stored} belongs to a cluster with the initial members ${before}, and ${now} was given`;
  throw new NodeError('NODE_BAD_CONFIG', `${what}: give --initial-members as before, or another --data`);
}

interface Difference {
  readonly flag: string;
  readonly inRing: string | number;
  readonly now: string | number;
}

function placeDifference(member: Member | undefined, given: GivenPlace): Difference | undefined {
  if (member === undefined) return undefined;
  if (member.port !== given.port) return { flag: '--port', inRing: member.port, now: given.port };
  if (member.peerPort !== given.peerPort) return { flag: '--peer-port', inRing: member.peerPort, now: given.peerPort };
  const isElsewhere = isAddress(member.host) && isLoopback(given.host) && member.host !== given.host;
  // Other addresses to listen on may well lead to the ring's: 0.0.0.0, one behind a translation, what a name stands for.
  return isElsewhere && given.host !== 'localhost'
    ? { flag: '--host', inRing: member.host, now: given.host }
    : undefined;
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+(?:\.\d+){3}$/.test(host);
}

/** As on a command line; what is as it is by default is left out. */
function textOf(members: readonly Member[]): string {
  return members
    .map(({ id, host, port, peerPort, weight }) => {
      const address = host.includes(':') ? `[${host}]` : host;
      const peers = peerPort === port + 10_000 ? '' : `@${peerPort}`;
      return `${id}=${address}:${port}${peers}${weight === 1 ? '' : `/${weight}`}`;
    })
    .join(',');
}
