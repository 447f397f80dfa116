/** Whole nodes on a disk, a network and a clock in memory. */
import { InlineRunner, MemoryFileSystem } from '@kvd/lsm/testing';
import type { WriteOutcome } from '@kvd/replication';
import { describe, expect, it } from 'vitest';
import type { NodeConfig } from '../src/config.ts';
import { KvdNode } from '../src/node.ts';
import { nodeMac } from '../src/runtime/node-mac.ts';
import type { Runtime } from '../src/runtime.ts';
import { ManualTime } from './fakes/manual-time.ts';
import { MemoryNetwork } from './fakes/memory-network.ts';
import { textOf } from './replica/local-node.ts';

class World {
  readonly time = new ManualTime();
  readonly network = new MemoryNetwork(this.time);
  readonly log: string[] = [];
  #word = 1;

  newDisk(): MemoryFileSystem {
    return new MemoryFileSystem({ deferAsync: (completion) => void this.time.set(0, completion) });
  }

  runtime(id: string, disk: MemoryFileSystem): Runtime {
    const { time } = this;
    const uint32 = () => (this.#word = Math.imul(this.#word, 48271) >>> 0);
    return {
      clock: time,
      timers: time,
      random: { uint32 },
      secrets: {
        fill: (bytes) => {
          for (let i = 0; i < bytes.length; i++) bytes[i] = uint32() >>> 13;
        },
      },
      mac: nodeMac,
      network: this.network.host(id),
      fileSystem: disk,
      tasks: new InlineRunner({ fileSystem: disk, timers: time }),
      log: (_level, event) => void this.log.push(event),
    };
  }

  /** Moves time until the promise is settled. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = () => void (isDone = true);
    work.then(end, end);
    while (!isDone) {
      this.time.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return work;
  }

  make(members: string[], id: string, disk: MemoryFileSystem, more: Partial<NodeConfig> = {}): KvdNode {
    const initialMembers = members.map((name) => `${name}=${name}:7379`).join(',');
    const config = {
      id,
      host: id,
      dataDirectory: '/data',
      initialMembers,
      gossipIntervalMs: 100,
      unsafeNoAuth: true,
      ...more,
    };
    return new KvdNode(config, this.runtime(id, disk));
  }

  async start(members: string[], id: string, disk: MemoryFileSystem): Promise<KvdNode> {
    const node = this.make(members, id, disk);
    await this.run(node.start());
    return node;
  }

  write(node: KvdNode, key: string, value: string): WriteOutcome[] {
    const outcomes: WriteOutcome[] = [];
    const { services } = node;
    const operation = { type: 'put', value: Buffer.from(value), supersedes: 'held' } as const;
    const consistency = services.consistency({});
    if (typeof consistency === 'string') throw new Error(consistency);
    services.write(Buffer.from(key), operation, consistency, (outcome) => outcomes.push(outcome));
    this.time.advance(2000);
    return outcomes;
  }
}

const readHere = (node: KvdNode, key: string) => textOf(node.services.readLocal(Buffer.from(key)));

describe('a node', () => {
  it('serves, stops without a timer or file left, and has its data at the next start', async () => {
    const world = new World();
    const disk = world.newDisk();
    const node = await world.start(['n1'], 'n1', disk);
    expect(world.write(node, 'a', '1')).toMatchObject([{ status: 'ok' }]);
    await world.run(node.stop());
    world.time.advance(100);
    expect([world.time.pending, disk.openFiles, world.network.sockets]).toEqual([0, 0, 0]);
    const again = await world.start(['n1'], 'n1', disk);
    expect(readHere(again, 'a')).toBe('1');
    expect(again.services.stats()).toMatchObject({ incarnation: 2, health: 'OK' });
    await world.run(again.stop());
  });

  it('says what it was not started for', () => {
    const node = new World().make(['n1'], 'n1', new World().newDisk());
    expect(() => node.services).toThrow(expect.objectContaining({ code: 'NODE_NOT_STARTED' }));
  });

  it.each<[string, string[], Partial<NodeConfig>]>([
    ['NODE_BAD_CONFIG', ['n2', 'n3'], {}],
    ['NODE_BAD_CONFIG', ['n1', 'n2'], {}],
    ['NODE_BAD_CONFIG', ['n1'], { port: 7400 }],
    ['NODE_BAD_CONFIG', ['n1'], { peerPort: 7401 }],
    ['NODE_WRONG_DIRECTORY', ['n1', 'n2'], { id: 'n2', host: 'n2' }],
    ['NODE_PORT_IN_USE', ['n1'], { host: 'taken' }],
  ])('that cannot start says %s, with everything closed again', async (code, members, more) => {
    const world = new World();
    const disk = world.newDisk();
    await world.run((await world.start(['n1'], 'n1', disk)).stop());
    world.network.host('x').listen(
      { host: 'taken', port: 7379 },
      () => {},
      () => {},
    );
    const node = world.make(members, 'n1', disk, more);
    await expect(world.run(node.start())).rejects.toMatchObject({ code });
    world.time.advance(100);
    expect([world.time.pending, disk.openFiles]).toEqual([0, 0]);
    const right = await world.start(['n1'], 'n1', disk);
    expect(right.services.stats().incarnation).toBe(code === 'NODE_PORT_IN_USE' ? 3 : 2);
    await world.run(right.stop());
  });

  it('whose directory is new while others know it takes no more writes, and a later incarnation at the next start', async () => {
    const world = new World();
    const members = ['n1', 'n2', 'n3'];
    const disks = members.map(() => world.newDisk());
    const nodes = [];
    for (const [i, id] of members.entries()) nodes.push(await world.start(members, id, disks[i] as MemoryFileSystem));
    const [first, second, third] = nodes as [KvdNode, KvdNode, KvdNode];
    expect(world.write(second, 'a', '1')).toMatchObject([{ status: 'ok' }]);
    await world.run(first.stop());
    const again = await world.start(members, 'n1', disks[0] as MemoryFileSystem);
    world.time.advance(3000);
    await world.run(again.stop());
    const emptied = world.newDisk();
    const amnesiac = await world.start(members, 'n1', emptied);
    let failure: Error | undefined;
    void amnesiac.failed.then((error) => {
      failure = error;
    });
    world.time.advance(3000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(failure).toMatchObject({ code: 'NODE_IDENTITY_CONFLICT' });
    expect(world.write(amnesiac, 'a', '2')).toMatchObject([{ status: 'ok' }]);
    expect(amnesiac.services.stats().counters['replica_coordinated']).toBe(0);
    await world.run(amnesiac.stop());
    const healed = await world.start(members, 'n1', emptied);
    world.time.advance(3000);
    expect(healed.services.stats()).toMatchObject({ incarnation: 3, health: 'OK' });
    for (const node of [healed, second, third]) await world.run(node.stop());
  });
});
