/** Operations at the local replica: what is read, evaluated and stored in one piece. */
import { decodeRecord, type OperationResult, slotOfAddress, type WriteOperation } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { addressOf, LocalNode, type LocalNodeOptions } from './local-node.ts';
import { written } from './records.ts';

async function readyNode(options: LocalNodeOptions = {}): Promise<LocalNode> {
  const node = await LocalNode.start(options);
  // The lease is taken with the first write.
  node.coordinate('first', 'x');
  node.settle();
  return node;
}

const ADD: WriteOperation = { type: 'add', delta: 5n };
const NEW: WriteOperation = { type: 'put', value: Buffer.from('new'), supersedes: 'held', condition: 'absent' };
const textOf = (result: OperationResult | undefined) => result?.value && Buffer.from(result.value).toString();

describe('an operation', () => {
  it('that finds nothing to write says so at once, stores nothing and issues no dot', async () => {
    const node = await readyNode();
    const before = node.coordinate('a', 'old');
    node.settle();
    const leaf = node.leaves.leaf(slotOfAddress(addressOf('a')));
    const restore = node.refuseCommits(new Error('nothing may be committed'));
    const write = node.coordinate('a', undefined, { operation: NEW });
    expect(write.events).toEqual(['unchanged']);
    expect([write.result?.applied, textOf(write.result)]).toEqual([false, 'old']);
    restore();
    expect(node.leaves.leaf(slotOfAddress(addressOf('a')))).toEqual(leaf);
    const [first, second] = [before.state, node.coordinate('a', 'newer').state].map(
      (state) => decodeRecord(state as Buffer).values[0]?.dot.counter,
    );
    expect((second as number) - (first as number)).toBe(1);
  });

  it('that makes no sense on the value is rejected, certainly without effect', async () => {
    const node = await readyNode();
    node.coordinate('a', 'text');
    expect(node.coordinate('a', undefined, { operation: ADD }).events).toEqual(['failed rejected']);
    expect(node.read('a')).toBe('text');
  });

  it('sees what the coordinator has read elsewhere', async () => {
    const node = await readyNode();
    const seen = [written('37')];
    const write = node.coordinate('a', undefined, { operation: ADD, seen });
    expect(textOf(write.result)).toBe('42');
    expect(node.read('a')).toBe('42');
    expect(node.coordinate('b', undefined, { operation: NEW, seen }).events).toEqual(['unchanged']);
  });

  it('expires by hybrid time, not by a clock that was set back', async () => {
    const node = await readyNode();
    node.coordinate('a', undefined, {
      operation: { type: 'put', value: Buffer.from('v'), supersedes: 'held', deadline: node.wallMs + 50 },
    });
    node.wallMs += 50;
    node.coordinate('b', 'moves the clock');
    node.wallMs -= 1000;
    expect(node.coordinate('a', undefined, { operation: NEW }).result).toEqual({ applied: true, value: undefined });
  });

  it('refuses to grow a value beyond what the node takes', async () => {
    const node = await readyNode({ maxValueBytes: 4 });
    const append = (text: string) =>
      node.coordinate('a', undefined, { operation: { type: 'append', value: Buffer.from(text) } });
    expect(textOf(append('abc').result)).toBe('3');
    expect(append('de').events).toEqual(['failed rejected']);
    expect(node.read('a')).toBe('abc');
  });
});

describe('an addition', () => {
  it('is counted once, and is acknowledged again only once it is durable', async () => {
    const node = await readyNode();
    const requestId = { entry: 'n2', incarnation: 1, n: 7 };
    node.coordinate('a', undefined, { operation: ADD, requestId });
    const again = node.coordinate('a', undefined, { operation: ADD, requestId });
    expect([again.events, textOf(again.result)]).toEqual([['merged'], '5']);
    node.settle();
    expect(again.events).toEqual(['merged', 'stored']);
    expect(node.read('a')).toBe('5');
    expect(node.leaves.leaf(slotOfAddress(addressOf('a')))).toEqual(node.scannedLeaf(slotOfAddress(addressOf('a'))));
  });

  it('goes on after a crash, under a new tenure too', async () => {
    const node = await readyNode();
    node.coordinate('a', undefined, { operation: ADD });
    node.settle();
    node.crash('random');
    await node.open();
    node.coordinate('a', undefined, { operation: ADD });
    node.settle();
    expect(node.read('a')).toBe('10');
  });

  it('asks others first until the slot was compared, whatever the record bears', async () => {
    const node = await readyNode();
    node.coordinate('a', undefined, { operation: ADD });
    expect(node.replica.needsPreRead(addressOf('a'), true)).toBe(false);
    expect(node.replica.needsPreRead(addressOf('a'), true, ADD)).toBe(true);
    for (const peer of ['n2', 'n3']) node.coverage.agreed(peer, 0, 16383);
    expect(node.replica.needsPreRead(addressOf('a'), true, ADD)).toBe(false);
  });
});
