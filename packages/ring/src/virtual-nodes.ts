/**
 * The circle of virtual nodes of a new ring: runs of contiguous slots, each with one primary.
 *
 *     | a 52 | c 51 | b 52 | d 51 | b 52 | a 52 | …     the owner of a run, and its slots
 *
 * Each node has as many runs as its weight says, and as many slots, to the slot. Runs are dealt in rounds in which every
 * node (of equal weight) comes once, and no node comes again within a row's length: so each run serves exactly the owners
 * next to it, replicas are spread as evenly as primaries, and few slots of a node share their second owner.
 *
 * Pure and deterministic: equal members give equal circles on every machine. Rings are stored, so a better rule may
 * replace this one: it decides new rings only.
 */
import { RingError } from './errors.ts';
import { chance } from './hash.ts';
import type { Member } from './member.ts';
import { SLOT_COUNT } from './slot.ts';
import { zoneOf } from './walk.ts';

export interface VirtualNode {
  readonly owner: Member;
  /** How many slots, at least 1. */
  readonly length: number;
}

export interface CircleOptions {
  /** Virtual nodes of a member of weight 1. */
  readonly virtualNodesPerNode: number;
  /** How long rows will be: as far apart are the virtual nodes of one node, where possible. */
  readonly rowLength: number;
  /** Another salt gives another circle, as good in general. */
  readonly salt: number;
}

/** What is still to be dealt to one node. */
interface Hand {
  readonly owner: Member;
  readonly zone: string;
  readonly slots: number;
  readonly count: number;
  readonly index: number;
  dealt: number;
}

/** `members` in order of id, as `checkMembers` gives them. */
export function dealVirtualNodes(members: readonly Member[], options: CircleOptions): VirtualNode[] {
  const hands = makeHands(members, options);
  const total = hands.reduce((sum, hand) => sum + hand.count, 0);
  const dealer = new Dealer(hands, options);
  return Array.from({ length: total }, () => dealer.deal());
}

function makeHands(members: readonly Member[], { virtualNodesPerNode, salt }: CircleOptions): Hand[] {
  const shares = slotShares(members, salt);
  return members.map((owner, index) => {
    const slots = shares[index] as number;
    const count = Math.min(slots, Math.max(1, Math.round(virtualNodesPerNode * owner.weight)));
    return { owner, zone: zoneOf(owner), slots, count, index, dealt: 0 };
  });
}

/** Slots per member by weight, by largest remainder: the sum is exact and none is off by a whole slot. */
function slotShares(members: readonly Member[], salt: number): number[] {
  const weights = members.reduce((sum, member) => sum + member.weight, 0);
  const exact = members.map((member) => (SLOT_COUNT * member.weight) / weights);
  const shares = exact.map(Math.floor);
  const left = SLOT_COUNT - shares.reduce((sum, share) => sum + share, 0);
  const remainder = (i: number) => (exact[i] as number) - (shares[i] as number);
  const order = members.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a) || tie(salt, a, b));
  for (const i of order.slice(0, left)) shares[i] = (shares[i] as number) + 1;
  return shares;
}

function tie(salt: number, a: number, b: number): number {
  return chance(salt, a, -1) - chance(salt, b, -1) || a - b;
}

class Dealer {
  readonly #hands: readonly Hand[];
  readonly #options: CircleOptions;
  /** How many turns until a node, or a zone, may come again. */
  readonly #nodeDistance: number;
  readonly #zoneDistance: number;
  readonly #dealt: Hand[] = [];
  /** How often `hands[b]` followed `hands[a]`, at a * hands + b. */
  readonly #followed: Uint16Array;

  constructor(hands: readonly Hand[], options: CircleOptions) {
    this.#hands = hands;
    this.#options = options;
    const zoneCount = new Set(hands.map((hand) => hand.zone)).size;
    // Where every row has all members, only the second owner is to be spread: what follows a node must vary.
    const distance = hands.length > options.rowLength ? options.rowLength - 1 : 1;
    this.#nodeDistance = distance;
    this.#zoneDistance = Math.min(distance, zoneCount - 1);
    this.#followed = new Uint16Array(hands.length * hands.length);
  }

  deal(): VirtualNode {
    const hand = this.#best(this.#candidates());
    const previous = this.#dealt.at(-1);
    if (previous !== undefined) this.#followed[this.#pair(previous, hand)] = this.#timesAfter(previous, hand) + 1;
    const turn = hand.dealt++;
    this.#dealt.push(hand);
    // The longer runs first, for all nodes alike: a round's runs are then equally long.
    const length = Math.floor(hand.slots / hand.count) + (turn < hand.slots % hand.count ? 1 : 0);
    return { owner: hand.owner, length };
  }

  /** Those whose turn it is or is next: whoever is furthest behind must not wait for long. */
  #candidates(): Hand[] {
    const open = this.#hands.filter((hand) => hand.dealt < hand.count);
    const furthestBehind = Math.min(...open.map(progress));
    const slack = 1.5 / this.#options.virtualNodesPerNode;
    return open.filter((hand) => progress(hand) <= furthestBehind + slack);
  }

  #best(candidates: readonly Hand[]): Hand {
    let best: Hand | undefined;
    let bestScore: readonly number[] = [];
    for (const hand of candidates) {
      const score = this.#score(hand);
      if (best === undefined || isLess(score, bestScore)) {
        best = hand;
        bestScore = score;
      }
    }
    if (best === undefined) throw new RingError('RING_MEMBERS', 'no member has a virtual node left');
    return best;
  }

  /** Least is best: not a neighbour, not a neighbour's zone, furthest behind, a new pair, chance. */
  #score(hand: Hand): readonly number[] {
    const previous = this.#dealt.at(-1);
    return [
      this.#isWithin(this.#nodeDistance, (other) => other === hand),
      this.#isWithin(this.#zoneDistance, (other) => other.zone === hand.zone),
      progress(hand),
      previous === undefined ? 0 : this.#timesAfter(previous, hand),
      chance(this.#options.salt, this.#dealt.length, hand.index),
    ];
  }

  #isWithin(distance: number, matches: (hand: Hand) => boolean): number {
    for (let back = 1; back <= distance; back++) {
      const other = this.#dealt.at(-back);
      if (other !== undefined && matches(other)) return 1;
    }
    return 0;
  }

  #timesAfter(first: Hand, second: Hand): number {
    return this.#followed[this.#pair(first, second)] as number;
  }

  #pair(first: Hand, second: Hand): number {
    return first.index * this.#hands.length + second.index;
  }
}

/** The share dealt once this turn is taken. */
function progress(hand: Hand): number {
  return (hand.dealt + 1) / hand.count;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number);
  }
  return false;
}
