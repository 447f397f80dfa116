/** The listener for Redis clients: accepts connections, bounds them, and ends them all when the node stops. */
import { ClientRegistry } from './client-registry.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { NodeError } from './errors.ts';
import { CONNECTIONS_MAX } from './limits.ts';
import { encodeReply, RespWriter } from './resp/encoder.ts';
import { failure } from './resp/value.ts';
import type { Listener, Socket } from './runtime.ts';
import type { NodeServices } from './services.ts';
import { Session } from './session.ts';

/** How long commands in flight may still be answered when the node stops. */
const STOP_GRACE_MS = 2000;

/** A client that was turned away has so long to read why. */
const TURNED_AWAY_MS = 250;

const TOO_MANY = encodeReply(failure('ERR max number of clients reached'), 2);

export class RespServer implements ConnectionOwner {
  readonly services: NodeServices;
  readonly writer = new RespWriter();
  readonly clients = new ClientRegistry();
  readonly #connections = new Set<Connection>();
  #toFlush: Connection[] = [];
  #listener: Listener | undefined;
  #emptied: (() => void) | undefined;

  constructor(services: NodeServices) {
    this.services = services;
  }

  /** The port that is listened on; after `start`. */
  get port(): number {
    if (this.#listener === undefined) throw new NodeError('NODE_NOT_STARTED', 'the server has not been started');
    return this.#listener.port;
  }

  /** Listens. Rejects with NODE_PORT_IN_USE or NODE_LISTEN. */
  start(): Promise<void> {
    const { host, port } = this.services.config;
    return new Promise((resolve, reject) => {
      this.services.runtime.network.listen(
        { host, port },
        (socket) => this.#accept(socket),
        (error, listener) => {
          if (listener === undefined) return reject(listenError(error, host, port));
          this.#listener = listener;
          resolve();
        },
      );
    });
  }

  /** Takes no more connections and commands; ends connections as their commands are answered, after 2 s in any case. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    await new Promise<void>((resolve) => listener.close(resolve));
    const { timers } = this.services.runtime;
    const timer = timers.set(STOP_GRACE_MS, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
      for (const connection of [...this.#connections]) connection.finish();
      if (this.#connections.size === 0) resolve();
    });
    timers.clear(timer);
  }

  /** All connections that have something to send do so once per turn. */
  flushLater(connection: Connection): void {
    if (connection.isFlushAwaited) return;
    connection.isFlushAwaited = true;
    this.#toFlush.push(connection);
    if (this.#toFlush.length === 1) this.services.runtime.timers.defer(() => this.#flush());
  }

  closed(connection: Connection): void {
    this.clients.remove(connection.session);
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  #flush(): void {
    const connections = this.#toFlush;
    this.#toFlush = [];
    for (const connection of connections) {
      connection.isFlushAwaited = false;
      connection.flush();
    }
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= CONNECTIONS_MAX || this.#listener === undefined) return this.#turnAway(socket);
    const nowMs = this.services.runtime.clock.monotonicMs();
    const session = new Session({ address: socket.remoteAddress, clients: this.clients, nowMs });
    this.clients.add(session);
    this.#connections.add(new Connection(this, socket, session));
  }

  #turnAway(socket: Socket): void {
    this.clients.connectionsRefused++;
    socket.handle({ data: () => {}, closed: () => {} });
    socket.write(TOO_MANY);
    socket.end();
    this.services.runtime.timers.set(TURNED_AWAY_MS, () => socket.destroy());
  }
}

function listenError(error: (Error & { readonly code?: string }) | undefined, host: string, port: number): NodeError {
  if (error?.code === 'EADDRINUSE') {
    const text = `port ${port} on ${host} is taken by another process; --port chooses another one`;
    return new NodeError('NODE_PORT_IN_USE', text, { cause: error });
  }
  const text = `cannot listen on ${host}:${port}: ${error?.message ?? 'for an unknown reason'}`;
  return new NodeError('NODE_LISTEN', text, { cause: error });
}
