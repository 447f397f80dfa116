/** The first members of a cluster as written on a command line: `id=host:port[@peerPort][/weight],…`. */
import { RingError } from './errors.ts';
import { checkMembers, type Member } from './member.ts';

/** A member's peer port, unless given: its port and this. */
const PEER_PORT_OFFSET = 10_000;

/** id, host (an IPv6 address in brackets), port, peer port, weight. */
const ENTRY = /^([^=\s]+)=(\[[^\]\s]+\]|[^:@/\s[\]]+):([^:@/]+)(?:@([^@/]+))?(?:\/([^/]+))?$/;

/**
 * Members in order of id, numbered from 1 in that order: the same numbers for the same set, however it is written.
 * Throws `RING_MEMBERS`, which names the entry and what is wrong with it.
 */
export function parseInitialMembers(text: string): readonly Member[] {
  if (text.trim() === '') throw new RingError('RING_MEMBERS', 'initial members: the list is empty');
  const members = text.split(',').map((entry) => parseEntry(entry.trim()));
  members.sort((a, b) => (a.id < b.id ? -1 : 1));
  return checkMembers(members.map((member, index) => ({ ...member, number: index + 1 })));
}

function parseEntry(entry: string): Omit<Member, 'number'> {
  const match = ENTRY.exec(entry);
  if (match === null) throw bad(entry, 'expected id=host:port[@peerPort][/weight]');
  const [, id = '', host = '', portText = '', peerPortText, weightText] = match;
  const port = parsePort(entry, 'port', portText);
  if (peerPortText === undefined && port + PEER_PORT_OFFSET > 65535) {
    throw bad(entry, `its peer port would be ${port + PEER_PORT_OFFSET}; give one with @peerPort`);
  }
  const peerPort = peerPortText === undefined ? port + PEER_PORT_OFFSET : parsePort(entry, 'peer port', peerPortText);
  return { id, host: host.replace(/^\[|\]$/g, ''), port, peerPort, weight: parseWeight(entry, weightText) };
}

function parsePort(entry: string, what: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw bad(entry, `${what} '${text}' is not in 1 to 65535`);
  return port;
}

function parseWeight(entry: string, text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^\d+(\.\d+)?$/.test(text)) throw bad(entry, `weight '${text}' is not a number above 0`);
  return Number(text);
}

function bad(entry: string, what: string): RingError {
  return new RingError('RING_MEMBERS', `initial members: '${entry}': ${what}`);
}
