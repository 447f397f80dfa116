/** Transports of several nodes on one network in memory, and what they have been told. */
import type { Message, RequestHeader } from '@kvd/replication';
import { nodeMac } from '../../src/runtime/node-mac.ts';
import type { Socket, SocketHandlers } from '../../src/runtime.ts';
import type { TransportOptions } from '../../src/transport/options.ts';
import { Transport } from '../../src/transport/transport.ts';
import { ManualTime } from '../fakes/manual-time.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from '../fakes/memory-network.ts';

export const PORT = 17_379;

export interface NodeSetup {
  readonly incarnation?: number;
  readonly clusterId?: Uint8Array;
  readonly generation?: number;
  readonly options?: TransportOptions;
  readonly peerSecret?: string;
  /** Where this node believes the others to be: by default each on the host of its name. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export class TestNode {
  readonly id: string;
  readonly transport: Transport;
  readonly received: { from: string; message: Message; hybridTime: number }[] = [];
  readonly events: string[] = [];
  readonly log: { level: string; event: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  onMessage: ((from: string, message: Message) => void) | undefined;

  constructor(cluster: TestCluster, id: string, setup: NodeSetup) {
    this.id = id;
    this.transport = new Transport({
      self: { id, host: id, peerPort: PORT, incarnation: setup.incarnation ?? 1 },
      cluster: { id: setup.clusterId ?? Buffer.alloc(16, 1), generation: setup.generation ?? 1 },
      runtime: {
        clock: cluster.time,
        timers: cluster.time,
        random: { uint32: () => 0x80000000 },
        secrets: { fill: (bytes) => bytes.fill(3) },
        mac: nodeMac,
        network: cluster.network.host(id),
        log: (level, event, fields) => this.log.push({ level, event, fields }),
      },
      peers: () => cluster.ids.map((peer) => ({ id: peer, host: setup.hosts?.[peer] ?? peer, peerPort: PORT })),
      hybridNow: () => 77,
      onMessage: (from, message, hybridTime) => {
        this.received.push({ from, message, hybridTime });
        this.onMessage?.(from, message);
      },
      onReachable: (node) => this.events.push(`${node} reachable`),
      onUnreachable: (node) => this.events.push(`${node} unreachable`),
      ...(setup.options && { options: setup.options }),
      ...(setup.peerSecret !== undefined && { peerSecret: setup.peerSecret }),
    });
  }
}

export class TestCluster {
  readonly time = new ManualTime();
  readonly network: MemoryNetwork;
  readonly ids: string[];

  constructor(ids: readonly string[], options: MemoryNetworkOptions = {}) {
    this.ids = [...ids];
    this.network = new MemoryNetwork(this.time, options);
  }

  /** Starts a node and gives it a moment. */
  start(id: string, setup: NodeSetup = {}): TestNode {
    const node = new TestNode(this, id, setup);
    let error: Error | undefined;
    node.transport.start((failure) => {
      error = failure;
    });
    this.time.advance(10);
    if (error) throw error;
    return node;
  }

  /** A peer of no kind: raw bytes to a node. */
  dial(to: string): { socket: Socket; received: () => Buffer; isClosed: () => boolean } {
    let received = Buffer.alloc(0);
    let closed = false;
    const handlers: SocketHandlers = {
      data(chunk) {
        received = Buffer.concat([received, chunk]);
      },
      closed() {
        closed = true;
      },
    };
    const socket = this.network.host('stranger').connect({ host: to, port: PORT }, handlers);
    return { socket, received: () => received, isClosed: () => closed };
  }
}

const header = (remainingMs: number): RequestHeader => ({
  id: { entry: 'a', incarnation: 1, n: 1 },
  remainingMs,
  ringEpoch: 1,
  slotPhase: 0,
  keyspace: 0,
  keyspaceVersion: 1,
  traceId: 0,
});

export function fetch(stream: number, options: { remainingMs?: number; bytes?: Uint8Array } = {}): Message {
  const address = options.bytes ?? Buffer.from('address');
  return { kind: 'fetch', stream, header: header(options.remainingMs ?? 1000), addresses: [address] };
}

export function fetchReply(stream: number, record?: Uint8Array): Message {
  return { kind: 'fetch-reply', stream, status: 'ok', reason: '', role: 'owner', doubt: false, records: [record] };
}
