import { localKey, FAMILY } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { openLocalState, outgrow, settleDoubt } from '../../src/replica/local-state.ts';
import { CLUSTER_ID, LocalNode, ringOf, WriteBatch } from './local-node.ts';

const first = (nodeId: string) => () => ({
  identity: { nodeId, clusterId: CLUSTER_ID, generation: 1 },
  ring: ringOf(2, 2),
});

describe('openLocalState', () => {
  it('begins with incarnation 1, an era, and doubt', async () => {
    const { state } = await LocalNode.start();
    expect(state).toMatchObject({ incarnation: 1, tenureEra: 1, doubt: true });
    expect(state.identity).toEqual({ nodeId: 'n1', clusterId: CLUSTER_ID, generation: 1 });
  });

  it('a clean restart is a new incarnation of the same era', async () => {
    const node = await LocalNode.start();
    await node.restart();
    expect(node.state).toMatchObject({ incarnation: 2, tenureEra: 1 });
  });

  it('a start after a crash begins a new era, in doubt', async () => {
    const node = await LocalNode.start();
    settleDoubt(node.engine, node.state);
    node.settle();
    node.crash('keep-all');
    await node.open();
    expect(node.state).toMatchObject({ incarnation: 2, tenureEra: 2, doubt: true });
  });

  it('a crash in the middle of a start makes no incarnation come twice', async () => {
    const node = await LocalNode.start();
    for (let crash = 2; crash < 6; crash++) {
      node.crash('random');
      await node.open();
      expect(node.state.incarnation).toBe(crash);
    }
  });

  it('doubt lasts over clean restarts until the slots have been compared', async () => {
    const node = await LocalNode.start();
    await node.restart();
    expect(node.state.doubt).toBe(true);
    settleDoubt(node.engine, node.state);
    await node.restart();
    expect(node.state).toMatchObject({ incarnation: 3, tenureEra: 1, doubt: false });
  });

  it('refuses the directory of another node, and names it', async () => {
    const node = await LocalNode.start();
    await node.stop();
    await node.openEngine();
    const opening = node.run(openLocalState(node.engine, 'n2', first('n2'), false));
    await expect(opening).rejects.toMatchObject({
      code: 'NODE_WRONG_DIRECTORY',
      message: expect.stringContaining("'n1'"),
    });
  });

  it('a crash is not forgotten when the start after it is refused and closes cleanly', async () => {
    const node = await LocalNode.start();
    settleDoubt(node.engine, node.state);
    node.settle();
    node.crash();
    await node.openEngine();
    expect(node.engine.recovery.tailDoubt).toBe(true);
    const refused = node.run(openLocalState(node.engine, 'n2', first('n2'), true));
    await expect(refused).rejects.toMatchObject({ code: 'NODE_WRONG_DIRECTORY' });
    await node.restart();
    expect(node.engine.recovery.tailDoubt).toBe(false);
    expect(node.state).toMatchObject({ incarnation: 2, tenureEra: 2, doubt: true });
  });

  it('keeps the first ring, whatever the initial members say later', async () => {
    const node = await LocalNode.start();
    await node.stop();
    await node.openEngine();
    const state = await node.run(openLocalState(node.engine, 'n1', first('n1'), false));
    expect(state.ring.encode()).toEqual(node.ring.encode());
    expect(state.ring.members).toHaveLength(3);
  });

  it.each(['identity', 'ring', 'boot'])('refuses a directory whose %s is damaged or gone', async (name) => {
    const node = await LocalNode.start();
    const key = localKey(FAMILY.nodeState, Buffer.from(name));
    const open = () => node.run(openLocalState(node.engine, 'n1', first('n1'), false));
    node.engine.commit(new WriteBatch().put(key, Buffer.from([9])), 'memory', () => {});
    await expect(open()).rejects.toMatchObject({ code: expect.stringMatching(/^(NODE_BAD_STATE|RING_)/) });
    if (name === 'identity') return;
    node.engine.commit(new WriteBatch().delete(key), 'memory', () => {});
    await expect(open()).rejects.toMatchObject({ code: 'NODE_BAD_STATE' });
  });
});

describe('outgrow', () => {
  it('makes the next start a later incarnation than the one that others know, in a new era and in doubt', async () => {
    const node = await LocalNode.start();
    settleDoubt(node.engine, node.state);
    let error: Error | undefined = new Error('not called');
    outgrow(node.engine, 41, (failure) => {
      error = failure;
    });
    node.settle();
    expect(error).toBeUndefined();
    await node.restart();
    expect(node.state).toMatchObject({ incarnation: 42, tenureEra: 42, doubt: true });
  });
});
