/**
 * Goal: a leaf is always the sum of the hashes of its slot's records, whatever happened.
 *
 * Method: random histories of coordinated writes, merges, refused batches, restarts and crashes; after each crash the leaves are
 * computed again from a scan. What was acknowledged before a crash must still be there.
 */
import { LsmError } from '@kvd/lsm';
import { decodeRecord, slotOfAddress } from '@kvd/replication';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, LocalNode } from './local-node.ts';
import { written } from './records.ts';

const KEYS = ['a', '{a}b', '{a}c', 'd', '{d}e'];
const SLOTS = ['a', 'd'].map((key) => slotOfAddress(addressOf(key)));
const SMALL = { memtableSizeBytes: 16_384, tableSizeBytes: 4096, blockSizeBytes: 256 };

const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write'), key, value: fc.string({ maxLength: 300 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('merge'), key, member: fc.integer({ min: 2, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refused'), key }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crash'), mode: fc.constantFrom('drop-all', 'random', 'keep-all') }),
  },
) as fc.Arbitrary<Step>;

interface Step {
  readonly kind: 'write' | 'merge' | 'refused' | 'settle' | 'restart' | 'crash';
  readonly key: string;
  readonly value: string;
  readonly member: number;
  readonly mode: 'drop-all' | 'random' | 'keep-all';
}

/** One run of a history. */
class History {
  readonly node: LocalNode;
  /** States that were said to be stored. */
  readonly #acknowledged: { readonly key: string; readonly state: Buffer }[] = [];
  readonly #dots = new Set<string>();
  #counter = 0;

  constructor(node: LocalNode) {
    this.node = node;
  }

  async take(step: Step): Promise<void> {
    const { node } = this;
    if (step.kind === 'write') this.#write(step.key, step.value);
    else if (step.kind === 'merge') this.#merge(step.key, step.member);
    else if (step.kind === 'refused') this.#refused(step.key);
    else if (step.kind === 'settle') node.settle();
    else if (step.kind === 'restart') await node.restart();
    else {
      node.crash(step.mode);
      await node.open();
    }
    this.#check();
  }

  #write(key: string, value: string): void {
    const { node } = this;
    const address = addressOf(key);
    const operation = { type: 'put', value: Buffer.from(value), supersedes: 'held' } as const;
    let state: Buffer | undefined;
    const requestId = { entry: 'n1', incarnation: 1, n: 1 };
    const request = { requestId, address, operation, seen: [], durability: 'sync', hintFor: [] } as const;
    node.replica.coordinate(request, {
      unchanged: () => expect.unreachable(),
      merged: (bytes) => {
        state = Buffer.from(bytes);
        const { context, values } = decodeRecord(state);
        const dot = values[0]?.dot;
        const name = `${dot?.actor} ${dot?.counter}`;
        expect(this.#dots.has(name), 'no dot twice').toBe(false);
        this.#dots.add(name);
        expect(context.covers(dot as never)).toBe(true);
      },
      failed: () => {},
      stored: (error) => {
        if (error === undefined) this.#acknowledged.push({ key, state: state as Buffer });
      },
    });
  }

  #merge(key: string, member: number): void {
    const state = written(`${key} ${member}`, { member, counter: ++this.#counter });
    this.node.store.merge([{ address: addressOf(key), record: state }], (error) => {
      if (error === undefined) this.#acknowledged.push({ key, state });
    });
  }

  #refused(key: string): void {
    const restore = this.node.refuseCommits(new LsmError('LSM_BUSY', 'later'));
    this.node.replicate(key, written('never', { member: 9, counter: ++this.#counter }));
    this.node.coordinate(key, 'never');
    restore();
  }

  #check(): void {
    for (const slot of SLOTS) expect(this.node.leaves.leaf(slot)).toEqual(this.node.scannedLeaf(slot));
    for (const { key, state } of this.#acknowledged) {
      const held = this.node.replica.read(addressOf(key));
      expect(held, `${key} was acknowledged`).toBeDefined();
      expect(decodeRecord(held as Buffer).context.includes(decodeRecord(state).context)).toBe(true);
    }
  }
}

describe('leaves', () => {
  it('are the sums over their slots, and nothing acknowledged is lost, over random histories with crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const history = new History(await LocalNode.start({ leaseCounters: 4, engine: SMALL }));
        for (const taken of steps) await history.take(taken);
      }),
      { numRuns: 40 },
    );
  });

  it('do not depend on the order in which records came', async () => {
    const records = [written('1'), written('2', { member: 3 }), written('3', { member: 4 })];
    const leaves = await Promise.all(
      [records, records.toReversed()].map(async (order) => {
        const node = await LocalNode.start();
        for (const record of order) node.replicate('a', record);
        node.replicate('{a}b', written('b'));
        return node.leaves.leaf(SLOTS[0] as number);
      }),
    );
    expect(leaves[0]).toEqual(leaves[1]);
    expect(leaves[0]).not.toEqual([0, 0, 0, 0]);
  });

  it('a merge that fails half-way moves no leaf', async () => {
    const node = await LocalNode.start();
    node.replicate('a', written('1'));
    const leaf = node.leaves.leaf(SLOTS[0] as number);
    const { put } = node.hints;
    node.hints.put = () => {
      throw new RangeError('a batch may hold at most so many bytes');
    };
    expect(node.replicate('a', written('2', { member: 3 }), { hintFor: 'n2' })).toEqual(['corrupt']);
    node.hints.put = put;
    expect(node.leaves.leaf(SLOTS[0] as number)).toEqual(leaf);
    expect(node.scannedLeaf(SLOTS[0] as number)).toEqual(leaf);
  });
});
