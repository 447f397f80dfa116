/**
 * Goal: whatever the order of answers, repetitions, refusals, losses and silence, a read keeps its promises. Method: nodes
 * hold random records; a random schedule decides what reaches the coordinator; then the outcome is compared with the merge
 * of what distinct nodes have said.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadCoordinator } from '../../src/coordinator/read-coordinator.ts';
import type { ReadEffects } from '../../src/effects.ts';
import type { Message, NodeId, ReadOutcome } from '../../src/messages.ts';
import { ADDRESS, FakeReach, fetchReply, HEADER, QUORUM } from './fixtures.ts';
import { BOTH, DAMAGED, DELETED, mergeEncoded, NEW, OLD, SIBLING } from './records.ts';

const NODES = ['A', 'B', 'C', 'D', 'E'];
const ROW = NODES.slice(0, 3);

interface Setup {
  readonly r: number;
  readonly pr: number;
  readonly mode: 'sloppy' | 'strict';
  readonly self: NodeId;
  readonly repair: boolean;
  readonly held: readonly (Uint8Array | undefined)[];
  readonly doubt: readonly boolean[];
  readonly away: readonly NodeId[];
}

const setups: fc.Arbitrary<Setup> = fc
  .record({
    r: fc.integer({ min: 1, max: 3 }),
    pr: fc.nat(3),
    mode: fc.constantFrom('sloppy' as const, 'strict' as const),
    self: fc.constantFrom('A', 'B', 'D', 'Z'),
    repair: fc.boolean(),
    held: fc.array(fc.constantFrom(undefined, OLD, NEW, DELETED, SIBLING, BOTH, DAMAGED), {
      minLength: 5,
      maxLength: 5,
    }),
    doubt: fc.array(
      fc.nat(4).map((x) => x === 0),
      { minLength: 5, maxLength: 5 },
    ),
    away: fc.array(fc.constantFrom(...NODES), { maxLength: 2 }),
  })
  .map((setup) => ({ ...setup, pr: Math.min(setup.pr, setup.r) }));

class World implements ReadEffects {
  readonly reach = new FakeReach();
  readonly coordinator: ReadCoordinator;
  readonly setup: Setup;
  readonly outcomes: ReadOutcome[] = [];
  readonly asked: NodeId[] = [];
  /** Nodes whose sound answers reached the coordinator while the request was open. */
  readonly said = new Set<NodeId>();
  readonly saidAtEnd = new Set<NodeId>();
  readonly repaired = new Map<NodeId, Uint8Array>();
  wake = Infinity;
  now = 0;

  constructor(setup: Setup) {
    this.setup = setup;
    for (const node of setup.away) if (node !== setup.self) this.reach.away.add(node);
    this.coordinator = new ReadCoordinator({ self: setup.self, reach: this.reach, out: this });
    const { r, pr, mode, self, repair } = setup;
    const consistency = { ...QUORUM, r, pr, mode };
    const base = { stream: 1, header: HEADER, consistency, address: ADDRESS, row: ROW, fallbacks: NODES.slice(3) };
    this.coordinator.start({ ...base, isOwner: ROW.includes(self), repair }, 0);
  }

  holds(node: NodeId): Uint8Array | undefined {
    const record = this.setup.held[NODES.indexOf(node)];
    // A node vouches for its own bytes by the checksums of its engine.
    return record === DAMAGED && node === this.setup.self ? NEW : record;
  }

  send(to: NodeId, message: Message): void {
    if (message.kind === 'fetch') this.asked.push(to);
    else if (message.kind === 'replicate') this.repaired.set(to, message.items[0]?.record as Uint8Array);
  }

  finish(_stream: number, outcome: ReadOutcome): void {
    this.outcomes.push(outcome);
    for (const node of this.said) this.saidAtEnd.add(node);
  }

  wakeAt(at: number): void {
    this.wake = Math.min(this.wake, at);
  }

  step(kind: number, pick: number): void {
    const node = this.asked[pick % Math.max(1, this.asked.length)];
    if (kind === 4) this.advance(this.now + (pick % 300));
    else if (node === undefined) return;
    else if (kind < 3) this.answer(node);
    else if (pick % 3 === 0) this.coordinator.unreachable(node, this.now);
    else this.coordinator.receive(node, fetchReply(1, undefined, { status: 'refused', records: [] }), this.now);
  }

  answer(node: NodeId): void {
    const record = this.holds(node);
    if (record !== DAMAGED && this.coordinator.inFlight > 0) this.said.add(node);
    // No two disks do the same damage.
    const sent =
      record === DAMAGED
        ? DAMAGED.map((byte, i) => (i === DAMAGED.length - 1 ? byte ^ (NODES.indexOf(node) << 4) : byte))
        : record;
    const doubt = this.setup.doubt[NODES.indexOf(node)] === true;
    const role = ROW.includes(node) ? 'owner' : 'fallback';
    this.coordinator.receive(node, fetchReply(1, sent, { doubt, role }), this.now);
  }

  advance(to: number): void {
    while (this.wake <= to) {
      this.now = Math.max(this.now, this.wake);
      this.wake = Infinity;
      this.coordinator.tick(this.now);
    }
    this.now = to;
  }

  merge(nodes: Iterable<NodeId>): Uint8Array | undefined {
    let merged: Uint8Array | undefined;
    for (const node of nodes) {
      const record = this.holds(node);
      if (record !== undefined) merged = merged === undefined ? record : mergeEncoded(merged, record);
    }
    return merged;
  }

  counted(): readonly NodeId[] {
    const { mode, doubt } = this.setup;
    const sound = (node: NodeId): boolean => ROW.includes(node) && doubt[NODES.indexOf(node)] !== true;
    return [...this.saidAtEnd].filter((node) => mode === 'sloppy' || sound(node));
  }
}

test('under any schedule a read ends once, with the merge of R distinct sound answers, and repairs owners only', () => {
  const schedules = fc.array(fc.tuple(fc.nat(4), fc.nat(1000)), { maxLength: 40 });
  fc.assert(
    fc.property(setups, schedules, (setup, schedule) => {
      const world = new World(setup);
      for (const [kind, pick] of schedule) world.step(kind, pick);
      world.advance(world.now + QUORUM.timeoutMs);
      expect(world.outcomes.length).toBe(1);
      expect(world.coordinator.inFlight).toBe(0);
      expect(new Set(world.asked).size).toBe(world.asked.length);
      for (const node of world.repaired.keys()) expect(ROW).toContain(node);
      const [outcome] = world.outcomes;
      if (outcome?.status !== 'ok') {
        expect(world.repaired.size).toBe(0);
        return;
      }
      expect(outcome.answered).toBe(world.counted().length);
      expect(outcome.answered).toBeGreaterThanOrEqual(setup.r);
      expect(outcome.degraded).toBe([...world.saidAtEnd].filter((node) => ROW.includes(node)).length < setup.r);
      expect(outcome.record).toEqual(world.merge(world.saidAtEnd));
      const all = world.merge(world.said);
      for (const node of world.said) {
        if (!ROW.includes(node) || all === undefined) continue;
        const held = world.repaired.get(node) ?? world.holds(node);
        expect(held, `${node} is behind`).toEqual(all);
      }
    }),
    { numRuns: 3000 },
  );
});
