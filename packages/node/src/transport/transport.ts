/**
 * Messages to and from the other nodes. Each node dials every other one: its requests travel on that connection and the
 * replies come back on it, so between two nodes there are two connections, one for each who asks. A peer is reachable while
 * the connection that this node has dialled is open; nothing else decides it.
 *
 * Nothing here is reliable: a message may be dropped (counted) or lost with its connection, and what sent it has a timeout.
 * But a reply goes only to the connection that its request came on, so it can never meet a later incarnation of the asker,
 * which gives the same stream numbers to other requests.
 */
import { decodeMessage, encodeMessage, type Message, messageType, type NodeId } from '@kvd/replication';
import { NodeError } from '../errors.ts';
import type { Listener, Runtime, Socket, SocketHandlers, TimerHandle } from '../runtime.ts';
import { ConnectionReport } from './connection-report.ts';
import { MESSAGE_BYTES_MAX } from './frame.ts';
import { type AcceptedPeer, Handshake, type Identity, refuse } from './handshake.ts';
import { type Hello, NONCE_BYTES, type Refusal } from './hello.ts';
import { HeldFetches } from './held-fetches.ts';
import { isReply, remainingMs } from './message-direction.ts';
import { resolveTransportOptions, type TransportOptions } from './options.ts';
import { type CloseReason, type ConnectionOwner, PeerConnection } from './peer-connection.ts';
import { PeerLink } from './peer-link.ts';
import { PeerSecret } from './peer-proof.ts';
import { createCounters, type TransportCounters } from './transport-counters.ts';

export interface PeerAddress {
  readonly id: NodeId;
  readonly host: string;
  readonly peerPort: number;
}

export interface TransportSetup {
  readonly self: PeerAddress & { readonly incarnation: number };
  readonly cluster: { readonly id: Uint8Array; readonly generation: number };
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'random' | 'secrets' | 'mac' | 'network' | 'log' | 'probe'>;
  /** The nodes to be connected to, asked at each heartbeat; this node may be among them. */
  readonly peers: () => readonly PeerAddress[];
  /** The hybrid time to put on a message. */
  readonly hybridNow: () => number;
  /** The bytes in `message` belong to the receiver. */
  readonly onMessage: (from: NodeId, message: Message, hybridTime: number) => void;
  readonly onReachable: (node: NodeId) => void;
  readonly onUnreachable: (node: NodeId) => void;
  readonly options?: TransportOptions;
  /** What all nodes of the cluster must have and prove to have; '' or none: nothing is asked for. */
  readonly peerSecret?: string;
}

/** Requests that may wait for their reply on one connection; of more, the oldest are forgotten and get none. */
const UNANSWERED_MAX = 65_536;
/** How long `stop` waits for what is written to go out. */
const STOP_MS = 500;

export class Transport implements ConnectionOwner {
  readonly #setup: TransportSetup;
  readonly #options: Required<TransportOptions>;
  readonly #identity: Identity;
  readonly #counters = createCounters();
  readonly #report: ConnectionReport;
  readonly #secret: PeerSecret | undefined;
  readonly #links = new Map<NodeId, PeerLink>();
  /** Of each peer the connection that it has dialled. */
  readonly #accepted = new Map<NodeId, PeerConnection>();
  /** Questions for records that wait until their peer has taken the answers before. */
  readonly #held = new HeldFetches<PeerConnection>();
  /** All whose socket is there. */
  readonly #connections = new Set<PeerConnection>();
  /** Those of them that were accepted and have not shown yet who they are. */
  readonly #strangers = new Set<PeerConnection>();
  #dirty: PeerConnection[] = [];
  #listener: Listener | undefined;
  #heartbeat: TimerHandle | undefined;
  #stopped: (() => void) | undefined;

  constructor(setup: TransportSetup) {
    this.#setup = setup;
    this.#options = resolveTransportOptions(setup.options);
    this.#report = new ConnectionReport(setup.runtime, this.#counters);
    const { peerSecret = '' } = setup;
    this.#secret = peerSecret === '' ? undefined : new PeerSecret(Buffer.from(peerSecret, 'utf8'), setup.runtime.mac);
    const { id, incarnation } = setup.self;
    this.#identity = { id, incarnation, clusterId: setup.cluster.id, generation: setup.cluster.generation };
  }

  get counters(): Readonly<TransportCounters> {
    return this.#counters;
  }

  /** The port that it listens on, once started. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Listens and begins to dial. `done` gets NODE_PORT_IN_USE or NODE_LISTEN when the port cannot be had. */
  start(done: (error?: NodeError) => void): void {
    const { self, runtime } = this.#setup;
    const address = { host: self.host, port: self.peerPort };
    runtime.network.listen(
      address,
      (socket) => this.#accept(socket),
      (error, listener) => {
        if (error) return done(listenError(error, address));
        if (this.#stopped) return listener?.close(() => {});
        this.#listener = listener;
        this.#tick();
        done();
      },
    );
  }

  /**
   * Sends a message, at the end of this turn. False: dropped and counted, since the peer cannot be reached, too much waits for
   * it, or the connection that a reply belongs to has gone.
   */
  send(to: NodeId, message: Message): boolean {
    const connection = isReply(message) ? this.#asker(to, message.stream) : this.#links.get(to)?.open;
    if (!connection) {
      this.#counters[isReply(message) ? 'droppedReplies' : 'droppedUnreachable']++;
      return false;
    }
    const payload = encodeMessage(message, this.#setup.hybridNow());
    const deadline = this.now() + (remainingMs(message) ?? this.#options.queueMs);
    if (payload.length > MESSAGE_BYTES_MAX || !connection.send(messageType(message), payload, deadline)) {
      this.#counters.droppedOverflow++;
      this.#setup.runtime.probe?.('transport-overflow');
      return false;
    }
    this.#counters.sent++;
    return true;
  }

  /** Whether requests to the node can be sent now. This node itself always is. */
  reachable(node: NodeId): boolean {
    return node === this.#identity.id || this.#links.get(node)?.open !== undefined;
  }

  /** Why the last attempt to talk to the node was refused by it or by this one, if it was. */
  refusal(node: NodeId): string | undefined {
    return this.#links.get(node)?.refusal;
  }

  /** Mean round trip of the heartbeat, milliseconds, once one is known. */
  roundTripMs(node: NodeId): number | undefined {
    return this.#links.get(node)?.open?.roundTripMs;
  }

  /** Dials peers that are new and leaves those that are gone; also done at each heartbeat. */
  refresh(): void {
    const wanted = new Set(this.#setup.peers().map((peer) => peer.id));
    wanted.delete(this.#identity.id);
    for (const [id, link] of this.#links) {
      if (wanted.has(id)) continue;
      link.stop();
      this.#links.delete(id);
    }
    for (const id of wanted) if (!this.#links.has(id)) this.#link(id);
  }

  /** Sends what waits, closes everything, and calls back. No other callback comes after this call. */
  stop(done: () => void): void {
    const { timers } = this.#setup.runtime;
    let waitsFor = this.#listener ? 2 : 1;
    const finished = (): void => {
      if (--waitsFor === 0) done();
    };
    const patience = timers.set(STOP_MS, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    this.#stopped = () => {
      timers.clear(patience);
      finished();
    };
    if (this.#heartbeat !== undefined) timers.clear(this.#heartbeat);
    for (const link of this.#links.values()) link.stop();
    for (const connection of this.#connections) connection.finish();
    this.#listener?.close(finished);
    if (this.#connections.size === 0) timers.defer(this.#stopped);
  }

  // What connections tell.

  now(): number {
    return this.#setup.runtime.clock.monotonicMs();
  }

  opened(connection: PeerConnection, peer: AcceptedPeer): void {
    this.#report.opened(connection, peer);
    this.#strangers.delete(connection);
    this.#closeEarlier(connection, peer);
    if (connection.dialled === undefined) {
      this.#accepted.set(peer.id, connection);
      this.#links.get(peer.id)?.dial();
      return;
    }
    const link = this.#links.get(peer.id);
    if (link) link.refusal = undefined;
    this.#setup.onReachable(peer.id);
  }

  message(connection: PeerConnection, type: number, payload: Buffer): void {
    const peer = connection.peer as AcceptedPeer;
    const decoded = this.#decode(connection, type, payload);
    if (!decoded || this.#stopped) return;
    const { message, hybridTime } = decoded;
    if (isReply(message) !== (connection.dialled !== undefined)) {
      this.#counters.droppedMisdirected++;
      return;
    }
    this.#counters.received++;
    if (!isReply(message)) remember(connection.unanswered, message.stream);
    if (message.kind === 'fetch' && this.#mustHold(connection)) {
      this.#counters.heldFetches++;
      this.#held.add(connection, { message, hybridTime, deadline: this.now() + message.header.remainingMs });
    } else this.#setup.onMessage(peer.id, message, hybridTime);
  }

  #mustHold(connection: PeerConnection): boolean {
    return connection.queuedBytes >= this.#options.holdBytes || this.#held.has(connection);
  }

  /** Answers are made as there is room for them: made earlier, they would be dropped. */
  flushed(connection: PeerConnection): void {
    while (!this.#stopped && connection.isOpen && connection.queuedBytes < this.#options.holdBytes) {
      const fetch = this.#held.take(connection, this.now());
      if (fetch === undefined) return;
      this.#setup.onMessage((connection.peer as AcceptedPeer).id, fetch.message, fetch.hybridTime);
    }
  }

  closed(connection: PeerConnection, reason: CloseReason): void {
    this.#counters.expired += connection.takeExpired();
    this.#held.forget(connection);
    this.#report.closed(connection, reason);
    const { peer, dialled, openedAt } = connection;
    if (dialled === undefined) {
      if (peer && this.#accepted.get(peer.id) === connection) this.#accepted.delete(peer.id);
      return;
    }
    const link = this.#links.get(dialled);
    if (link && reason.kind === 'refused') link.refusal = reason.refusal.reason;
    link?.lost(connection, openedAt === undefined ? 0 : this.now() - openedAt);
    if (openedAt !== undefined && !this.#stopped) this.#setup.onUnreachable(dialled);
  }

  gone(connection: PeerConnection): void {
    this.#strangers.delete(connection);
    this.#connections.delete(connection);
    if (this.#stopped && this.#connections.size === 0) this.#stopped();
  }

  waiting(connection: PeerConnection): void {
    if (this.#dirty.includes(connection)) return;
    this.#dirty.push(connection);
    if (this.#dirty.length === 1) this.#setup.runtime.timers.defer(() => this.#flush());
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty) connection.flush();
  }

  #tick(): void {
    const now = this.now();
    for (const connection of this.#connections) {
      this.#counters.expired += connection.takeExpired();
      connection.tick(now);
    }
    this.refresh();
    this.#heartbeat = this.#setup.runtime.timers.set(this.#options.heartbeatMs, () => this.#tick());
  }

  #link(id: NodeId): void {
    const { timers, random } = this.#setup.runtime;
    const link = new PeerLink(id, this.#options, { timers, random, dial: () => this.#dial(id) });
    this.#links.set(id, link);
    link.dial();
  }

  #dial(id: NodeId): PeerConnection {
    const connection = this.#connection(id);
    const peer = this.#setup.peers().find((candidate) => candidate.id === id);
    const address = { host: peer?.host ?? '', port: peer?.peerPort ?? 0 };
    connection.attach(this.#setup.runtime.network.connect(address, connection));
    return connection;
  }

  #accept(socket: Socket): void {
    if (this.#stopped || this.#strangers.size >= this.#options.strangersMax) {
      this.#counters.refused++;
      socket.handle(TURNED_AWAY);
      socket.destroy();
      return;
    }
    const connection = this.#connection(undefined);
    this.#strangers.add(connection);
    connection.attach(socket);
    socket.handle(connection);
  }

  #connection(dialled: NodeId | undefined): PeerConnection {
    const nonce = Buffer.alloc(NONCE_BYTES);
    this.#setup.runtime.secrets.fill(nonce);
    const objection = (hello: Hello): Refusal | undefined => this.#objection(hello);
    const handshake = new Handshake({
      self: this.#identity,
      nonce,
      expected: dialled,
      objection,
      secret: this.#secret,
    });
    const connection = new PeerConnection({ dialled, handshake, owner: this, options: this.#options });
    this.#connections.add(connection);
    return connection;
  }

  /** While a newer incarnation is connected, an older one is a process that was thought dead, or an old copy of its disk. */
  #objection(hello: Hello): Refusal | undefined {
    for (const connection of [this.#accepted.get(hello.from), this.#links.get(hello.from)?.open]) {
      const known = connection?.isOpen ? (connection.peer?.incarnation ?? 0) : 0;
      if (known > hello.incarnation) {
        const text = `incarnation ${hello.incarnation} of ${hello.from} is older than ${known}, which is connected`;
        return refuse('stale', text);
      }
    }
    return undefined;
  }

  /** Closes what belongs to an earlier incarnation of the peer, and the connection that this one takes the place of. */
  #closeEarlier(connection: PeerConnection, peer: AcceptedPeer): void {
    const accepted = this.#accepted.get(peer.id);
    const dialled = this.#links.get(peer.id)?.open;
    const older = (other: PeerConnection): boolean => (other.peer?.incarnation ?? 0) < peer.incarnation;
    if (accepted && (connection.dialled === undefined || older(accepted))) accepted.close({ kind: 'replaced' });
    if (dialled && dialled !== connection && older(dialled)) dialled.close({ kind: 'replaced' });
  }

  /** The connection that the request came on, if it is still there and no reply has been given. */
  #asker(to: NodeId, stream: number): PeerConnection | undefined {
    const connection = this.#accepted.get(to);
    return connection?.unanswered.delete(stream) ? connection : undefined;
  }

  #decode(connection: PeerConnection, type: number, payload: Buffer): ReturnType<typeof decodeMessage> | undefined {
    try {
      return decodeMessage(type, payload);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'REPLICATION_BAD_MESSAGE') throw error;
      connection.close({ kind: 'bad-message', error: error as Error });
      return undefined;
    }
  }
}

const TURNED_AWAY: SocketHandlers = { data() {}, closed() {} };

function remember(streams: Set<number>, stream: number): void {
  streams.add(stream);
  if (streams.size <= UNANSWERED_MAX) return;
  for (const oldest of streams) {
    streams.delete(oldest);
    return;
  }
}

function listenError(cause: Error, address: { host: string; port: number }): NodeError {
  const where = `${address.host}:${address.port}`;
  if ((cause as { code?: unknown }).code === 'EADDRINUSE') {
    return new NodeError('NODE_PORT_IN_USE', `peer port ${where} is in use; --peer-port chooses another`, { cause });
  }
  return new NodeError('NODE_LISTEN', `cannot listen for peers on ${where}: ${cause.message}`, { cause });
}
