/**
 * Goal: whatever the order of replies, repetitions, refusals, losses, silence and the local disk's answers, a write keeps
 * its promises. Method: a small world in which other nodes really store what they are sent; a random schedule picks what
 * happens next; the world then compares what it knows to be true with what the coordinator said.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WriteCoordinator } from '../../src/coordinator/write-coordinator.ts';
import type { CoordinateRequest, WriteEffects } from '../../src/effects.ts';
import type { Consistency, Message, NodeId, ReplicateMessage, WriteOutcome } from '../../src/messages.ts';
import { ADDRESS, FakeReach, fetchReply, HEADER, QUORUM, replicateReply } from './fixtures.ts';

const NODES = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
const TIMEOUT_MS = 1000;

interface Setup {
  readonly n: number;
  readonly w: number;
  readonly pw: number;
  readonly selfIndex: number;
  readonly fallbacks: number;
  readonly mode: 'sloppy' | 'strict';
  readonly preRead: boolean;
  readonly away: readonly number[];
}

class World implements WriteEffects {
  readonly reach = new FakeReach();
  readonly coordinator: WriteCoordinator;
  readonly self: NodeId;
  readonly row: readonly NodeId[];
  readonly outcomes: WriteOutcome[] = [];
  /** Nodes on whose disk the write is, and of them those of which the coordinator has been told. */
  readonly stored = new Set<NodeId>();
  readonly told = new Set<NodeId>();
  readonly hints: NodeId[] = [];
  /** Fallback → the owner for which it was asked to keep a hint. */
  readonly roles = new Map<NodeId, NodeId>();
  readonly fallbacks: readonly NodeId[];
  readonly setup: Setup;
  now = 0;
  coordinated = 0;
  localMerged = false;
  localFailed = false;
  localRefused = false;
  wake = Infinity;
  #wire: { readonly to: NodeId; readonly message: Message }[] = [];
  #replies: { readonly from: NodeId; readonly message: Parameters<WriteCoordinator['receive']>[1] }[] = [];

  constructor(setup: Setup) {
    this.setup = setup;
    this.row = NODES.slice(0, setup.n);
    this.fallbacks = NODES.slice(setup.n, setup.n + setup.fallbacks);
    this.self = [...this.row, ...this.fallbacks][setup.selfIndex % (setup.n + setup.fallbacks)] as NodeId;
    for (const index of setup.away) if (NODES[index] !== this.self) this.reach.away.add(NODES[index] as NodeId);
    this.coordinator = new WriteCoordinator({ self: this.self, reach: this.reach, out: this });
  }

  start(): void {
    const { n, w, pw, mode, preRead } = this.setup;
    const consistency: Consistency = { ...QUORUM, n, w, pw, mode, timeoutMs: TIMEOUT_MS, r: Math.ceil(n / 2) };
    const operation = { type: 'put', value: Uint8Array.of(1), supersedes: 'held' } as const;
    const { row, fallbacks } = this;
    this.coordinator.start(
      { stream: 1, header: HEADER, consistency, address: ADDRESS, operation, row, fallbacks, preRead },
      this.now,
    );
  }

  coordinate(_stream: number, request: CoordinateRequest): void {
    this.coordinated++;
    this.hints.push(...request.hintFor);
  }

  send(to: NodeId, message: Message): void {
    expect(to).not.toBe(this.self);
    if (message.kind === 'replicate' && message.hintFor !== undefined) {
      expect(this.row).not.toContain(to);
      expect(this.roles.has(to)).toBe(false);
      this.roles.set(to, message.hintFor);
    }
    this.#wire.push({ to, message });
  }

  keepHint(target: NodeId): void {
    this.hints.push(target);
  }

  wakeAt(at: number): void {
    this.wake = Math.min(this.wake, at);
  }

  finish(_stream: number, outcome: WriteOutcome): void {
    this.outcomes.push(outcome);
    if (outcome.status === 'ok') this.checkOk(outcome);
    if (outcome.status === 'failed' && this.coordinated > 0) expect(this.localRefused).toBe(true);
  }

  checkOk(outcome: WriteOutcome & { status: 'ok' }): void {
    const { mode, w, pw } = this.setup;
    const primaries = [...this.stored].filter((node) => this.row.includes(node));
    const counted = mode === 'strict' ? primaries.length : this.stored.size;
    expect(counted).toBeGreaterThanOrEqual(w);
    expect(primaries.length).toBeGreaterThanOrEqual(pw);
    expect(outcome.acknowledged).toBeLessThanOrEqual(counted);
    expect(outcome.acknowledged).toBeGreaterThanOrEqual(w);
  }

  /** One step of the schedule: `pick` chooses among what can happen. */
  step(kind: number, pick: number): void {
    if (kind < 3) this.#deliver(pick);
    else if (kind < 6) this.#reply(pick, kind === 5);
    else if (kind === 6) this.#wire.splice(pick % Math.max(1, this.#wire.length), 1);
    else if (kind === 7) this.#local(pick);
    else if (kind === 8) this.#breakOrHeal(pick);
    else this.advance(this.now + (pick % 400));
  }

  advance(to: number): void {
    while (this.wake <= to) {
      this.now = Math.max(this.now, this.wake);
      this.wake = Infinity;
      this.coordinator.tick(this.now);
    }
    this.now = to;
  }

  /** The local replica always answers in the end. */
  finishLocal(): void {
    if (this.coordinated === 0) return;
    this.#local(1);
    this.#local(1);
  }

  #deliver(pick: number): void {
    const [letter] = this.#wire.splice(pick % Math.max(1, this.#wire.length), 1);
    if (letter === undefined) return;
    const { to, message } = letter;
    if (message.kind === 'fetch') this.#replies.push({ from: to, message: fetchReply(1, undefined) });
    else if (pick % 5 === 0) this.#replies.push({ from: to, message: replicateReply(1, 'overload') });
    else {
      this.stored.add(to);
      this.#replies.push({ from: to, message: replicateReply((message as ReplicateMessage).stream) });
    }
  }

  #reply(pick: number, repeat: boolean): void {
    const index = pick % Math.max(1, this.#replies.length);
    const reply = this.#replies[index];
    if (reply === undefined) return;
    if (!repeat) this.#replies.splice(index, 1);
    const { from, message } = reply;
    if (message.kind === 'replicate-reply' && message.status === 'stored') this.told.add(from);
    this.coordinator.receive(from, message, this.now);
  }

  #local(pick: number): void {
    if (this.coordinated === 0 || this.localFailed || this.localRefused || this.stored.has(this.self)) return;
    if (!this.localMerged) {
      if (pick % 7 === 0) {
        this.localRefused = true;
        this.coordinator.coordinateFailed(1, 'limit', 'too many siblings', this.now);
      } else {
        this.localMerged = true;
        this.coordinator.merged(1, Uint8Array.of(1), Uint8Array.of(2), this.now);
      }
    } else if (pick % 7 === 0) {
      this.localFailed = true;
      this.coordinator.stored(1, new Error('EIO'), this.now);
    } else {
      this.stored.add(this.self);
      this.coordinator.stored(1, undefined, this.now);
    }
  }

  #breakOrHeal(pick: number): void {
    const node = NODES[pick % NODES.length] as NodeId;
    if (node === this.self) return;
    if (this.reach.away.delete(node)) return;
    this.reach.away.add(node);
    this.coordinator.unreachable(node, this.now);
  }
}

const setups: fc.Arbitrary<Setup> = fc
  .record({
    n: fc.integer({ min: 1, max: 4 }),
    w: fc.nat(),
    pw: fc.nat(),
    selfIndex: fc.nat(6),
    fallbacks: fc.integer({ min: 0, max: 3 }),
    mode: fc.constantFrom('sloppy' as const, 'strict' as const),
    preRead: fc.boolean(),
    away: fc.array(fc.nat(NODES.length - 1), { maxLength: 3 }),
  })
  .map((setup) => {
    const w = 1 + (setup.w % setup.n);
    return { ...setup, w, pw: setup.pw % 3 === 0 ? setup.pw % (w + 1) : 0 };
  });

const schedules = fc.array(fc.tuple(fc.nat(9), fc.nat(1000)), { maxLength: 60 });

function run(setup: Setup, schedule: readonly (readonly [number, number])[]): World {
  const world = new World(setup);
  world.start();
  for (const [kind, pick] of schedule) {
    world.step(kind, pick);
    expect(world.outcomes.length).toBeLessThanOrEqual(1);
  }
  world.advance(TIMEOUT_MS + world.now);
  expect(world.outcomes.length).toBe(1);
  world.finishLocal();
  return world;
}

describe('under any schedule', () => {
  test('a write has exactly one outcome, ok only with W real copies, failed only with none', () => {
    fc.assert(
      fc.property(setups, schedules, (setup, schedule) => {
        const world = run(setup, schedule);
        expect(world.outcomes.length).toBe(1);
        expect(world.coordinator.inFlight).toBe(0);
        if (world.outcomes[0]?.status === 'failed') expect(world.stored.size).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });

  test('every owner of a coordinated write ends with it, or with exactly one hint here or one at a fallback', () => {
    fc.assert(
      fc.property(setups, schedules, (setup, schedule) => {
        const world = run(setup, schedule);
        if (!world.localMerged) return;
        for (const owner of world.row) {
          if (owner === world.self || world.told.has(owner)) continue;
          const hintedBy = [...world.told].filter((node) => world.roles.get(node) === owner);
          expect(hintedBy.length > 0 || world.hints.includes(owner), `no hint for ${owner}`).toBe(true);
        }
        expect(new Set(world.hints).size).toBe(world.hints.length);
        expect(world.hints).not.toContain(world.self);
      }),
      { numRuns: 3000 },
    );
  });
});
