import { readFileSync } from 'node:fs';
import { localKey, FAMILY } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import { openLocalState, outgrow, settleDoubt } from '../../src/replica/local-state.ts';
import { CLUSTER_ID, LocalNode, ringOf, WriteBatch } from './local-node.ts';

const first = (nodeId: string) => ({
  first: () => ({ identity: { nodeId, clusterId: CLUSTER_ID, generation: 1 }, ring: ringOf(2, 2) }),
  check: () => {},
});

describe('openLocalState', () => {
  it('begins with incarnation 1, an era, and doubt', async () => {
    const { state } = await LocalNode.start();
    expect(state).toMatchObject({ incarnation: 1, tenureEra: 1, doubt: true });
    expect(state.identity).toEqual({ nodeId: 'n1', clusterId: CLUSTER_ID, generation: 1 });
  });

  it('is kept as docs/formats.md says', async () => {
    const node = await LocalNode.start();
    await node.restart();
    settleDoubt(node.engine, node.state);
    const formats = readFileSync(new URL('../../../../docs/formats.md', import.meta.url), 'utf8');
    for (const [name, example] of [
      ['identity', '01 07070707070707070707070707070707 00000001 6e31'],
      ['boot', '01 0000000000000002 0000000000000001 00'],
    ] as const) {
      const stored = node.engine.getSync(localKey(FAMILY.nodeState, Buffer.from(name)));
      expect(stored?.toString('hex')).toBe(example.replaceAll(' ', ''));
      expect(formats).toContain(`\`${example}\``);
    }
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

  it('asks whether the stored ring will do, and changes nothing when it will not', async () => {
    const node = await LocalNode.start();
    await node.stop();
    await node.openEngine();
    const boot = () => node.engine.getSync(localKey(FAMILY.nodeState, Buffer.from('boot')));
    const before = boot();
    const check = (stored: { readonly members: readonly unknown[] }) => {
      throw new Error(`not with ${stored.members.length}`);
    };
    const opening = node.run(openLocalState(node.engine, 'n1', { ...first('n1'), check }, false));
    await expect(opening).rejects.toThrow('not with 3');
    expect(boot()).toEqual(before);
  });

  it('keeps the first ring and makes no other', async () => {
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
