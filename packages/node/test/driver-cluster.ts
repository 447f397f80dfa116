/**
 * Drivers of several nodes, each over a real engine on a disk in memory, joined by a wire that encodes every message. Nothing
 * moves by itself: `settle` delivers, turns and syncs until all is quiet; `advance` moves time.
 */
import {
  type Consistency,
  decodeMessage,
  encodeMessage,
  hybridTimeOf,
  type Message,
  messageType,
  type ReadOutcome,
  type WriteOutcome,
} from '@kvd/replication';
import { preferenceList, slotOf } from '@kvd/ring';
import { DEFAULT_CONSISTENCY, resolveConfig } from '../src/config.ts';
import { Driver } from '../src/driver.ts';
import { Entry } from '../src/entry.ts';
import type { NodeParts } from '../src/node-parts.ts';
import { sharedSlots } from '../src/replica/shared-slots.ts';
import type { Runtime } from '../src/runtime.ts';
import { nodeMac } from '../src/runtime/node-mac.ts';
import { ManualTime } from './fakes/manual-time.ts';
import { addressOf, LocalNode, type LocalNodeOptions } from './replica/local-node.ts';

export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly message: Message;
}

export class DriverNode {
  readonly local: LocalNode;
  readonly driver: Driver;
  readonly entry: Entry;
  isFailed = false;
  newerSelf: number[] = [];

  constructor(local: LocalNode, cluster: DriverCluster) {
    this.local = local;
    const { self } = local;
    const runtime = {
      clock: cluster.time,
      timers: cluster.time,
      random: { uint32: () => 7 },
      secrets: { fill: (bytes: Uint8Array) => bytes.fill(local.state.incarnation) },
      mac: nodeMac,
      log: () => {},
    } as unknown as Runtime;
    const config = resolveConfig({ id: self, dataDirectory: '/data', initialMembers: 'as in the ring' });
    const transport = {
      send: (to: string, message: Message) => cluster.post(self, to, message),
      reachable: (node: string) => cluster.isUp(self, node),
      counters: {},
    };
    const parts = {
      self,
      incarnation: local.state.incarnation,
      config,
      runtime,
      ring: local.ring,
      replica: local.replica,
      store: local.store,
      coverage: local.coverage,
      transport: transport as unknown as NodeParts['transport'],
      sharedSlots: sharedSlots(local.ring, self, local.ring.replicas),
      clusterId: local.state.identity.clusterId,
      hintSlots: (target: string) => local.hints.slotsOf(target),
      failed: () => this.isFailed,
      onNewerSelf: (known: number) => void this.newerSelf.push(known),
    } satisfies NodeParts;
    this.driver = new Driver(parts);
    this.entry = new Entry(parts, this.driver, () => ({}) as never);
  }

  /** The outcomes that the client of a write is given; one, if all is well. */
  write(key: string, value: string, more: Partial<Consistency> = {}): WriteOutcome[] {
    const outcomes: WriteOutcome[] = [];
    const operation = { type: 'put', value: Buffer.from(value), supersedes: 'held' } as const;
    this.entry.write(Buffer.from(key), operation, this.#consistency(more), (outcome) => outcomes.push(outcome));
    return outcomes;
  }

  read(key: string, more: Partial<Consistency> = {}): ReadOutcome[] {
    const outcomes: ReadOutcome[] = [];
    this.entry.read(Buffer.from(key), this.#consistency(more), (outcome) => outcomes.push(outcome));
    return outcomes;
  }

  #consistency(more: Partial<Consistency>): Consistency {
    const consistency = this.entry.consistency(more);
    if (typeof consistency === 'string') throw new Error(consistency);
    return consistency;
  }
}

export class DriverCluster {
  readonly time = new ManualTime();
  readonly nodes = new Map<string, DriverNode>();
  /** All that was ever said. */
  readonly said: Sent[] = [];
  /** On its way. */
  wire: Sent[] = [];
  readonly #down = new Set<string>();

  static async start(members: number, options: LocalNodeOptions = {}): Promise<DriverCluster> {
    const cluster = new DriverCluster();
    for (let i = 1; i <= members; i++) {
      const local = await LocalNode.start({ members, ...options, self: `n${i}` });
      local.dots.whenReady(() => {});
      local.settle();
      cluster.nodes.set(local.self, new DriverNode(local, cluster));
    }
    for (const node of cluster.nodes.values()) {
      for (const peer of cluster.nodes.keys()) if (peer !== node.local.self) node.driver.connected(peer);
    }
    return cluster;
  }

  /** All have compared all slots: a first owner then writes without asking first. */
  agree(): void {
    for (const a of this.nodes.values()) for (const b of this.nodes.keys()) a.local.coverage.agreed(b, 0, 16383);
  }

  node(id: string): DriverNode {
    return this.nodes.get(id) as DriverNode;
  }

  /** The owners of a key, then everybody else. */
  rowOf(key: string): string[] {
    const { owners, fallbacks } = preferenceList(
      this.node('n1').local.ring,
      slotOf(Buffer.from(key)),
      DEFAULT_CONSISTENCY.n,
    );
    return [...owners, ...fallbacks];
  }

  isUp(a: string, b: string): boolean {
    return !this.#down.has(a) && !this.#down.has(b);
  }

  post(from: string, to: string, message: Message): boolean {
    if (!this.isUp(from, to)) return false;
    const sent = { from, to, message };
    this.said.push(sent);
    this.wire.push(sent);
    return true;
  }

  /** The node is cut off: what is on its way to or from it is lost. */
  cut(id: string): void {
    this.#down.add(id);
    this.wire = this.wire.filter(({ from, to }) => from !== id && to !== id);
    for (const [name, node] of this.nodes) if (name !== id) node.driver.disconnected(id);
    for (const name of this.nodes.keys()) if (name !== id) this.node(id).driver.disconnected(name);
  }

  join(id: string): void {
    this.#down.delete(id);
    for (const [name, node] of this.nodes) if (name !== id && this.isUp(name, id)) node.driver.connected(id);
    for (const name of this.nodes.keys()) if (name !== id && this.isUp(name, id)) this.node(id).driver.connected(name);
  }

  /** How old messages are when they come, by the receiver's clock. */
  ageMs = 0;

  /** Hands over what is on its way; true if there was anything. */
  deliver(): boolean {
    const wire = this.wire;
    this.wire = [];
    for (const { from, to, message } of wire) {
      const { message: decoded } = decodeMessage(messageType(message), encodeMessage(message, 1));
      this.node(to).driver.receive(from, decoded, hybridTimeOf(this.node(to).local.wallMs - this.ageMs));
    }
    return wire.length > 0;
  }

  settle(): void {
    do {
      for (const { local } of this.nodes.values()) local.settle();
    } while (this.deliver());
  }

  advance(ms: number): void {
    for (let i = 0; i < ms; i += 10) {
      this.time.advance(10);
      this.settle();
    }
  }
}

export { addressOf };
