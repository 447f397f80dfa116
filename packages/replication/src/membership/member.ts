/**
 * One line of the membership table, and how two accounts of a member are joined.
 *
 * Age first: a higher incarnation is newer, then a higher heartbeat, and the newer account replaces the older with all that was
 * suspected of it. Accounts of one age are joined: the names of those who suspect it are united, the graver state holds. Within
 * one incarnation `left` is final, since a node that has left beats no more. So the join is associative, commutative and
 * idempotent, old news never beats new, and a delayed "alive" never revives a member (FAULTS B27).
 *
 * A state is never believed without its evidence: see `vetted`.
 */
import type { Millis } from '../effects.ts';
import type { MemberDigest, NodeId } from '../messages.ts';

/** A member as this node sees it. Replaced, never changed. */
export interface MemberView extends MemberDigest {
  /** When its heartbeat last moved here, by this node's monotonic clock. */
  readonly movedAtMs: Millis;
}

/** Who a member is and where it listens. */
export interface MemberAddress {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
}

/** What it takes to believe an account. */
export interface Evidence {
  /** Distinct nodes that must suspect a member before anybody calls it dead. */
  readonly confirmations: number;
  readonly suspectedByMax: number;
  /** Whether a name is that of a member; others are no witnesses. */
  readonly known: (id: NodeId) => boolean;
}

const GRAVITY = { alive: 0, suspect: 1, dead: 2, left: 3 } as const;

/** A member named by the ring of which nothing has been heard yet: older than any account of a booted node. */
export function unheardMember(address: MemberAddress, now: Millis): MemberView {
  const { id, host, port, peerPort } = address;
  return {
    id,
    host,
    port,
    peerPort,
    incarnation: 0,
    heartbeat: 0,
    state: 'alive',
    suspectedBy: [],
    health: '',
    movedAtMs: now,
  };
}

/** Below 0: `a` is older than `b`; above 0: newer; 0: of one age. */
export function compareAge(a: MemberDigest, b: MemberDigest): number {
  if (a.incarnation !== b.incarnation) return a.incarnation - b.incarnation;
  const aLeft = a.state === 'left';
  const bLeft = b.state === 'left';
  if (aLeft !== bLeft) return aLeft ? 1 : -1;
  return a.heartbeat - b.heartbeat;
}

/** The account with its state reduced to what its witnesses bear out. */
export function vetted(heard: MemberDigest, evidence: Evidence): MemberDigest {
  const suspectedBy = uniteNames(heard.suspectedBy, [], heard.id, evidence);
  return { ...heard, suspectedBy, state: stateByEvidence(heard.state, suspectedBy.length, evidence.confirmations) };
}

function stateByEvidence(state: MemberDigest['state'], witnesses: number, needed: number): MemberDigest['state'] {
  if (state === 'left') return 'left';
  if (state === 'dead' && witnesses >= needed) return 'dead';
  return witnesses > 0 ? 'suspect' : 'alive';
}

/** Joins what was heard into what is held; the same object when nothing is new. `heard` must be vetted. */
export function joinMember(held: MemberView, heard: MemberDigest, now: Millis, evidence: Evidence): MemberView {
  const age = compareAge(heard, held);
  if (age < 0) return held;
  if (age > 0) return { ...heard, movedAtMs: now };
  const state = GRAVITY[heard.state] > GRAVITY[held.state] ? heard.state : held.state;
  const suspectedBy = uniteNames(held.suspectedBy, heard.suspectedBy, held.id, evidence);
  const same =
    state === held.state &&
    suspectedBy.length === held.suspectedBy.length &&
    suspectedBy.every((name, index) => name === held.suspectedBy[index]);
  return same ? held : { ...held, state, suspectedBy };
}

/** The member with `witness` among those who suspect it. */
export function suspectedToo(member: MemberView, witness: NodeId, evidence: Evidence): MemberView {
  if (member.suspectedBy.includes(witness)) return member;
  const suspectedBy = uniteNames(member.suspectedBy, [witness], member.id, evidence);
  return { ...member, suspectedBy, state: member.state === 'alive' ? 'suspect' : member.state };
}

/** The least names of both, sorted: cutting keeps the union associative. */
function uniteNames(a: readonly NodeId[], b: readonly NodeId[], about: NodeId, evidence: Evidence): readonly NodeId[] {
  if (a.length === 0 && b.length === 0) return a;
  const names = new Set<NodeId>();
  for (const name of a) if (name !== about && evidence.known(name)) names.add(name);
  for (const name of b) if (name !== about && evidence.known(name)) names.add(name);
  return [...names].sort().slice(0, evidence.suspectedByMax);
}

/** What is told to others about a member. */
export function digestOf(member: MemberView): MemberDigest {
  const { movedAtMs: _, ...digest } = member;
  return digest;
}
