/**
 * Histories that replicas can really have, for the laws of merge: a handful of replicas of one record coordinate writes
 * as their own actors, read each other's contexts, merge each other's states, set deadlines, strip, and lose their data
 * (and then change actor).
 *
 * Beside each replica's record a model keeps plain sets: every dot that the state has seen, and what each write
 * superseded. It knows no version vectors, so that it can say whether they are exact.
 */
import fc from 'fast-check';
import { type Actor, type Dot, makeActor } from '../src/dot.ts';
import { applyDeadline, applyWrite, type DottedRecord, mergeRecords, stripExpired } from '../src/record.ts';
import { VersionVector } from '../src/version-vector.ts';

const REPLICAS = 3;
export const STRIP_AT_MS = 500;

export const step = fc.record({
  what: fc.constantFrom(
    'set',
    'set',
    'delete',
    'sibling',
    'put',
    'put',
    'expire',
    'merge',
    'merge',
    'merge',
    'strip',
    'lose',
  ),
  at: fc.nat({ max: REPLICAS - 1 }),
  other: fc.nat({ max: REPLICAS - 1 }),
  time: fc.nat({ max: 3 }),
  deadlineMs: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type DotName = string;

interface Replica {
  actor: Actor;
  record: DottedRecord | undefined;
  /** A context that a client has read here some time, with what it stands for. */
  read: { context: VersionVector; seen: ReadonlySet<DotName> };
  seen: Set<DotName>;
}

export interface History {
  readonly replicas: readonly Replica[];
  /** Every state that any replica was ever in. */
  readonly states: readonly DottedRecord[];
  /** Per value written, the values' dots that it superseded. */
  readonly supersededBy: ReadonlyMap<DotName, ReadonlySet<DotName>>;
}

export const nameOf = (dot: Dot): DotName => `${Buffer.from(dot.actor, 'latin1').toString('hex')}@${dot.counter}`;

export function play(steps: readonly Step[]): History {
  const world = new World();
  for (const one of steps) world.step(one);
  return world;
}

class World implements History {
  #tenure = 0;
  #counter = 0;
  readonly replicas: Replica[] = [];
  readonly states: DottedRecord[] = [];
  readonly supersededBy = new Map<DotName, ReadonlySet<DotName>>();

  constructor() {
    for (let i = 0; i < REPLICAS; i++) this.replicas.push(this.#empty(i));
  }

  #empty(member: number): Replica {
    const actor = makeActor({ memberNumber: member, tenureHigh: 0, tenureLow: ++this.#tenure });
    return { actor, record: undefined, read: { context: VersionVector.EMPTY, seen: new Set() }, seen: new Set() };
  }

  step({ what, at, other, time, deadlineMs }: Step): void {
    const here = this.replicas[at] as Replica;
    const there = this.replicas[other] as Replica;
    if (what === 'lose') {
      this.replicas[at] = this.#empty(at);
    } else if (what === 'merge') {
      this.#merge(here, there);
    } else if (what === 'strip') {
      if (here.record !== undefined) here.record = stripExpired(here.record, STRIP_AT_MS);
    } else if (what === 'expire') {
      this.#expire(here, deadlineMs ?? Number.MAX_SAFE_INTEGER);
    } else {
      this.#write(here, there, { what, time, deadlineMs });
    }
    this.#note(here, there, time);
  }

  #note(here: Replica, there: Replica, time: number): void {
    if (here.record !== undefined) this.states.push(here.record);
    // Clients read now and then, and write with what they read much later.
    if (time === 0) there.read = { context: there.record?.context ?? VersionVector.EMPTY, seen: new Set(there.seen) };
  }

  #merge(here: Replica, there: Replica): void {
    if (there.record === undefined) return;
    here.record = here.record === undefined ? there.record : mergeRecords(here.record, there.record);
    for (const name of there.seen) here.seen.add(name);
  }

  #expire(here: Replica, atMs: number): void {
    if (here.record === undefined) return;
    const dot = { actor: here.actor, counter: ++this.#counter };
    here.record = applyDeadline(here.record, { atMs, dot });
  }

  #write(here: Replica, there: Replica, write: Pick<Step, 'what' | 'time' | 'deadlineMs'>): void {
    const dot = { actor: here.actor, counter: ++this.#counter };
    const superseded = { set: here.seen, delete: here.seen, sibling: new Set<DotName>(), put: there.read.seen }[
      write.what as 'set'
    ];
    this.supersededBy.set(nameOf(dot), new Set(superseded));
    here.record = applyWrite(here.record, {
      dot,
      hybridTime: write.time * 2048,
      value: write.what === 'delete' ? 'tombstone' : Buffer.from(`value ${dot.counter}`),
      supersedes: write.what === 'put' ? there.read.context : write.what === 'sibling' ? 'nothing' : 'held',
      ...(write.deadlineMs === undefined ? {} : { deadlineMs: write.deadlineMs }),
    });
    for (const name of superseded) here.seen.add(name);
    here.seen.add(nameOf(dot));
  }
}
