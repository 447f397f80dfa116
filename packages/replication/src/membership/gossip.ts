/**
 * Membership: the table of members that every node keeps, and the gossip that brings all tables together.
 *
 *   each second:  own heartbeat + 1;  gossip(table) ──► one random living member ──► gossip-reply(its table);  both join
 *
 * Besides, every few rounds a seed and a silent member are tried, so that islands merge and the returned are found. Invariants:
 * - only this node moves its own heartbeat, and only up; its incarnation is durable, greater after each boot, and given to it;
 * - who hears itself suspected answers with a newer heartbeat at once;
 * - names that are not allowed (not in the ring) never enter the table, and the table is bounded;
 * - time in which this node did not run is no evidence against others (FAULTS C8).
 * Nothing here routes a request.
 */
import type { BackgroundDependencies } from '../background.ts';
import type { Millis } from '../effects.ts';
import type { GossipMessage, GossipReplyMessage, MemberDigest, NodeId } from '../messages.ts';
import { below } from '../random.ts';
import { confirmationsNeeded, judge, patience } from './failure-detector.ts';
import {
  compareAge,
  digestOf,
  type Evidence,
  joinMember,
  type MemberAddress,
  type MemberView,
  unheardMember,
  vetted,
} from './member.ts';
import { type MembershipOptions, resolveMembershipOptions } from './options.ts';

export interface MembershipDependencies extends BackgroundDependencies {
  readonly self: MemberAddress & { readonly incarnation: number; readonly health?: string };
  /** The members of the ring; this node may be among them. */
  readonly members: readonly MemberAddress[];
  /** Whom to try always, whatever the verdict. Default: all of `members`. */
  readonly seeds?: readonly NodeId[];
  /** Whether a name may enter the table. Default: those of `members` only. */
  readonly allowed?: (id: NodeId) => boolean;
  /** A member's state, incarnation, address or health has changed (a mere heartbeat is no change). */
  readonly onChange?: (member: MemberView, before: MemberView | undefined) => void;
  /**
   * Somebody has heard of a later incarnation of this node than the one it runs with: its directory is an old copy, or it has
   * a twin (FAULTS E20); or that it left in this one. The others ignore it until it takes a greater one.
   */
  readonly onNewerSelf?: (incarnation: number) => void;
  readonly options?: MembershipOptions;
}

export class Membership {
  readonly counters = { rounds: 0, received: 0, ignored: 0, refutations: 0, suspicions: 0, deaths: 0, returns: 0 };
  readonly #deps: MembershipDependencies;
  readonly #options: Required<MembershipOptions>;
  /** The others, by name. */
  readonly #table = new Map<NodeId, MemberView>();
  readonly #seeds: readonly NodeId[];
  readonly #allowed: (id: NodeId) => boolean;
  #self: MemberView;
  #evidence: Evidence;
  #lastTickMs: Millis | undefined;
  #nextRoundMs: Millis = 0;

  constructor(dependencies: MembershipDependencies) {
    const { self, members } = dependencies;
    this.#deps = dependencies;
    this.#options = resolveMembershipOptions(dependencies.options);
    this.#self = {
      ...unheardMember(self, 0),
      incarnation: self.incarnation,
      heartbeat: 1,
      health: self.health ?? 'OK',
    };
    const initial = new Set(members.map((member) => member.id));
    this.#allowed = dependencies.allowed ?? ((id) => initial.has(id));
    this.#seeds = (dependencies.seeds ?? [...initial]).filter((id) => id !== self.id);
    for (const member of members) if (member.id !== self.id) this.#table.set(member.id, unheardMember(member, 0));
    this.#evidence = this.#weighEvidence();
  }

  /** All members as seen from here, this node first. */
  members(): readonly MemberView[] {
    return [this.#self, ...this.#table.values()];
  }

  member(id: NodeId): MemberView | undefined {
    return id === this.#self.id ? this.#self : this.#table.get(id);
  }

  /** Tells the others of this node's own failure state (FAULTS A4). */
  setHealth(health: string): void {
    if (health === this.#self.health) return;
    const before = this.#self;
    // A new heartbeat, since accounts of one age are taken to agree on all but the verdict.
    this.#self = { ...before, health, heartbeat: before.heartbeat + 1 };
    this.#deps.onChange?.(this.#self, before);
  }

  /** The first call starts the rounds; each asks for the next by `wakeAt`. */
  tick(now: Millis): void {
    this.#forgivePause(now);
    this.#lastTickMs = now;
    if (now < this.#nextRoundMs) return;
    this.#nextRoundMs = now + this.#options.gossipIntervalMs;
    this.#judgeAll(now);
    this.#round(now);
    this.#deps.out.wakeAt(this.#nextRoundMs);
  }

  receive(from: NodeId, message: GossipMessage | GossipReplyMessage, now: Millis): void {
    if (from === this.#self.id || !this.#allowed(from)) {
      this.counters.ignored++;
      return;
    }
    this.counters.received++;
    for (const digest of message.members) this.#absorb(digest, now);
    if (message.kind !== 'gossip') return;
    this.#deps.out.send(from, { kind: 'gossip-reply', stream: message.stream, members: this.#digests() });
  }

  #round(now: Millis): void {
    const { seedEveryRounds, silentEveryRounds } = this.#options;
    this.#self = { ...this.#self, heartbeat: this.#self.heartbeat + 1, movedAtMs: now };
    const round = ++this.counters.rounds;
    const targets = new Set<NodeId>();
    // Those in doubt are asked besides, not instead: else the living would hear less of each other just when one dies.
    this.#pick(
      this.#named((member) => member.state === 'alive'),
      targets,
    );
    if (round % seedEveryRounds === 0) this.#pick(this.#seeds, targets);
    if (targets.size === 0 || round % silentEveryRounds === 0) {
      this.#pick(
        this.#named((member) => member.state === 'suspect' || member.state === 'dead'),
        targets,
      );
    }
    for (const target of targets) this.#greet(target);
  }

  #greet(target: NodeId): void {
    this.#deps.out.send(target, { kind: 'gossip', stream: this.#deps.nextStream(), members: this.#digests() });
  }

  #named(wanted: (member: MemberView) => boolean): readonly NodeId[] {
    const names: NodeId[] = [];
    for (const member of this.#table.values()) if (wanted(member)) names.push(member.id);
    return names;
  }

  #pick(names: readonly NodeId[], into: Set<NodeId>): void {
    const name = names[below(this.#deps.random, names.length)];
    if (name !== undefined) into.add(name);
  }

  #digests(): readonly MemberDigest[] {
    return this.members().map(digestOf);
  }

  #absorb(digest: MemberDigest, now: Millis): void {
    if (digest.id === this.#self.id) return this.#hearOfSelf(digest);
    const held = this.#table.get(digest.id);
    if (held === undefined && (!this.#allowed(digest.id) || this.#table.size >= this.#options.membersMax - 1)) {
      this.counters.ignored++;
      return;
    }
    const heard = vetted(digest, this.#evidence);
    this.#put(held === undefined ? { ...heard, movedAtMs: now } : joinMember(held, heard, now, this.#evidence));
  }

  /** Whoever suspects this node gets a newer heartbeat than the one it suspects, with the next message from here. */
  #hearOfSelf(heard: MemberDigest): void {
    const age = compareAge(heard, this.#self);
    const saidToHaveLeft = age > 0 && heard.state === 'left';
    if (heard.incarnation > this.#self.incarnation || saidToHaveLeft) {
      return this.#deps.onNewerSelf?.(heard.incarnation);
    }
    const accused = heard.state !== 'alive' || heard.suspectedBy.length > 0;
    if (age < 0 || (age === 0 && !accused)) return;
    this.counters.refutations++;
    this.#self = { ...this.#self, heartbeat: Math.max(this.#self.heartbeat, heard.heartbeat) + 1 };
  }

  #put(member: MemberView): void {
    const before = this.#table.get(member.id);
    if (before === member) return;
    this.#table.set(member.id, member);
    if (before === undefined || before.state === 'left' || member.state === 'left')
      this.#evidence = this.#weighEvidence();
    if (before !== undefined && !differsInSubstance(before, member)) return;
    this.#count(before, member);
    this.#deps.onChange?.(member, before);
  }

  #count(before: MemberView | undefined, member: MemberView): void {
    if (before?.state === member.state) return;
    if (member.state === 'suspect') this.counters.suspicions++;
    if (member.state === 'dead') this.counters.deaths++;
    if (member.state === 'alive' && before !== undefined) this.counters.returns++;
  }

  #judgeAll(now: Millis): void {
    const factor = patience(this.#table.size + 1);
    const judgement = {
      now,
      self: this.#self.id,
      suspectAfterMs: this.#options.suspectAfterMs * factor,
      deadAfterMs: this.#options.deadAfterMs * factor,
      evidence: this.#evidence,
    };
    for (const member of this.#table.values()) this.#put(judge(member, judgement));
  }

  /** At the first tick, and after a pause of the process, nobody has been silent for longer than this node has listened. */
  #forgivePause(now: Millis): void {
    const gap = now - (this.#lastTickMs ?? 0);
    const expected = this.#lastTickMs === undefined ? 0 : this.#options.gossipIntervalMs * 2;
    if (gap <= expected) return;
    for (const member of this.#table.values()) {
      const movedAtMs = this.#lastTickMs === undefined ? now : Math.min(now, member.movedAtMs + gap);
      this.#table.set(member.id, { ...member, movedAtMs });
    }
  }

  #weighEvidence(): Evidence {
    let members = 1;
    for (const member of this.#table.values()) if (member.state !== 'left') members++;
    return {
      confirmations: confirmationsNeeded(members),
      suspectedByMax: this.#options.suspectedByMax,
      known: (id) => id === this.#self.id || this.#table.has(id),
    };
  }
}

function differsInSubstance(a: MemberView, b: MemberView): boolean {
  return (
    a.state !== b.state ||
    a.incarnation !== b.incarnation ||
    a.health !== b.health ||
    a.host !== b.host ||
    a.port !== b.port ||
    a.peerPort !== b.peerPort
  );
}
