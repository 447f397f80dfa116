/**
 * A counter at a cluster whose nodes are cut off while requests are under way: whatever coordinators a request was given to,
 * it counts once. Requests go in at all nodes; one node at a time is away; messages are delivered step by step between.
 */
import type { WriteOperation, WriteOutcome } from '@kvd/replication';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DriverCluster } from './driver-cluster.ts';
import { textOf } from './replica/local-node.ts';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('add' as const), node: fc.constantFrom(...NODES) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('deliver' as const, 'sync' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('first' as const, 'second' as const, 'join' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('advance' as const), ms: fc.constantFrom(300, 1100) }) },
);
const ADD: WriteOperation = { type: 'add', delta: 1n };

class Scene {
  readonly cluster: DriverCluster;
  readonly outcomes: WriteOutcome[] = [];
  issued = 0;
  #away: string | undefined;

  constructor(cluster: DriverCluster) {
    this.cluster = cluster;
  }

  run(each: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    const { cluster } = this;
    if (each.what === 'add') this.#add(each.node);
    else if (each.what === 'deliver') cluster.deliver();
    else if (each.what === 'sync') for (const { local } of cluster.nodes.values()) local.settle();
    else if (each.what === 'advance') cluster.advance(each.ms);
    else if (each.what === 'join') this.join();
    else this.#cut(cluster.rowOf('hits')[each.what === 'first' ? 0 : 1] as string);
  }

  join(): void {
    if (this.#away !== undefined) this.cluster.join(this.#away);
    this.#away = undefined;
  }

  #cut(node: string): void {
    this.join();
    this.#away = node;
    this.cluster.cut(node);
  }

  #add(node: string): void {
    const { entry } = this.cluster.node(node);
    const consistency = entry.consistency({});
    if (typeof consistency === 'string') throw new Error(consistency);
    this.issued++;
    entry.write(Buffer.from('hits'), ADD, consistency, (outcome) => this.outcomes.push(outcome));
  }

  count(status: WriteOutcome['status']): number {
    return this.outcomes.filter((outcome) => outcome.status === status).length;
  }

  read(): number {
    const outcomes = this.cluster.node('n1').read('hits', { r: 3, mode: 'strict' });
    this.cluster.settle();
    const [outcome] = outcomes;
    if (outcome?.status !== 'ok') throw new Error(`the read ended with ${outcome?.status}`);
    return Number(textOf(outcome.record as Buffer) ?? 0);
  }
}

it('counts every acknowledged addition once, and no other that is not in doubt', { timeout: 30_000 }, async () => {
  let rerouted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), fc.boolean(), async (steps, agreed) => {
      const scene = new Scene(await DriverCluster.start(NODES.length));
      if (agreed) scene.cluster.agree();
      for (const each of steps) scene.run(each);
      scene.join();
      scene.cluster.advance(6000);
      expect(scene.outcomes).toHaveLength(scene.issued);
      const value = scene.read();
      expect(value).toBeGreaterThanOrEqual(scene.count('ok'));
      expect(value).toBeLessThanOrEqual(scene.count('ok') + scene.count('indeterminate'));
      for (const { driver } of scene.cluster.nodes.values()) rerouted += driver.router.counters.rerouted;
    }),
    { numRuns: 30 },
  );
  expect(rerouted).toBeGreaterThan(10);
});
