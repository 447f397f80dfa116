import { RingError } from './errors.ts';

/** A node as the ring knows it. */
export interface Member {
  /** Its name, for ever. At most 255 bytes of UTF-8. */
  readonly id: string;
  /** 1 to 65535: its short name in records and on the wire; permanent, never given to another. */
  readonly number: number;
  readonly host: string;
  /** Where it speaks to Redis clients. */
  readonly port: number;
  /** Where it speaks to other nodes. */
  readonly peerPort: number;
  /** Its share of the slots, relative to the others': above 0, at most 1000. */
  readonly weight: number;
  /** A failure domain. Rows are spread over zones before a zone is used twice. */
  readonly zone?: string;
}

const WEIGHT_MAX = 1000;
const TEXT_BYTES_MAX = 255;
const MEMBERS_MAX = 1000;

/** A frozen copy in order of id, whatever order they came in. Throws `RING_MEMBERS` for what no ring can hold. */
export function checkMembers(members: readonly Member[]): readonly Member[] {
  if (members.length === 0) throw new RingError('RING_MEMBERS', 'a ring needs at least one member');
  if (members.length > MEMBERS_MAX) throw new RingError('RING_MEMBERS', `a ring has at most ${MEMBERS_MAX} members`);
  for (const member of members) checkMember(member);
  refuseDuplicates(members, 'id', (member) => member.id);
  refuseDuplicates(members, 'number', (member) => member.number);
  refuseDuplicates(members, 'peer address', (member) => `${member.host}:${member.peerPort}`);
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  return Object.freeze(sorted.map((member) => Object.freeze({ ...member })));
}

function checkMember({ id, number, host, port, peerPort, weight, zone }: Member): void {
  const check = (isRight: boolean, what: string) => {
    if (!isRight) throw new RingError('RING_MEMBERS', `member ${JSON.stringify(id)}: ${what}`);
  };
  check(isText(id), `an id has 1 to ${TEXT_BYTES_MAX} bytes`);
  check(isBetween(number, 1, 65535), `number ${number} is not in 1 to 65535`);
  check(isText(host), `a host has 1 to ${TEXT_BYTES_MAX} bytes`);
  check(isBetween(port, 1, 65535), `port ${port} is not in 1 to 65535`);
  check(isBetween(peerPort, 1, 65535), `peer port ${peerPort} is not in 1 to 65535`);
  check(weight > 0 && weight <= WEIGHT_MAX, `weight ${weight} is not above 0 and at most ${WEIGHT_MAX}`);
  check(zone === undefined || isText(zone), `a zone has 1 to ${TEXT_BYTES_MAX} bytes`);
}

function isText(text: string): boolean {
  return text.length > 0 && text.isWellFormed() && Buffer.byteLength(text) <= TEXT_BYTES_MAX;
}

function isBetween(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function refuseDuplicates(members: readonly Member[], what: string, of: (member: Member) => string | number): void {
  const seen = new Set<string | number>();
  for (const member of members) {
    const value = of(member);
    if (seen.has(value)) throw new RingError('RING_MEMBERS', `two members have the ${what} ${value}`);
    seen.add(value);
  }
}
