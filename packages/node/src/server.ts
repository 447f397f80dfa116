/** The listener for Redis clients: accepts connections, bounds them, and ends them all when the node stops. */
import { ClientRegistry } from './client-registry.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { NodeError } from './errors.ts';
import { CONNECTIONS_MAX, STRANGER_MS, STRANGERS_MAX } from './limits.ts';
import { encodeReply, RespWriter } from './resp/encoder.ts';
import { failure } from './resp/value.ts';
import type { Listener, Socket, TimerHandle } from './runtime.ts';
import type { NodeServices } from './services.ts';
import { Session } from './session.ts';

/** How long commands in flight may still be answered when the node stops. */
const STOP_GRACE_MS = 2000;

/** A client that was turned away has so long to read why. */
const TURNED_AWAY_MS = 250;

const TOO_MANY = encodeReply(failure('ERR max number of clients reached'), 2);
/** The first two sentences are those of Redis, which clients look for; the ways out are kvd's. */
const DENIED = encodeReply(
  failure(
    'DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to kvd you may adopt one of the following solutions: 1) Set a password: start the node with --requirepass-file, or send CONFIG SET requirepass from the loopback interface, which holds until the node ends. 2) Where everybody who can reach the node is trusted, start it with --unsafe-no-auth.',
  ),
  2,
);

export class RespServer implements ConnectionOwner {
  readonly services: NodeServices;
  readonly writer = new RespWriter();
  readonly clients = new ClientRegistry();
  readonly #connections = new Set<Connection>();
  /** Those that have not given the password, and when their time is over. */
  readonly #strangers = new Map<Connection, TimerHandle>();
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

  authenticationChanged(connection: Connection): void {
    if (connection.session.authenticated) this.#forgetStranger(connection);
    else this.#addStranger(connection);
  }

  closed(connection: Connection): void {
    this.#forgetStranger(connection);
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
    if (this.#connections.size >= CONNECTIONS_MAX || this.#listener === undefined) {
      return this.#turnAway(socket, TOO_MANY);
    }
    const { access, runtime } = this.services;
    if (access.isDenied(socket.remoteAddress)) return this.#turnAway(socket, DENIED);
    if (access.needsPassword && this.#strangers.size >= STRANGERS_MAX) return this.#turnAway(socket, TOO_MANY);
    const session = new Session({
      address: socket.remoteAddress,
      clients: this.clients,
      nowMs: runtime.clock.monotonicMs(),
      authenticated: !access.needsPassword,
    });
    this.clients.add(session);
    const connection = new Connection(this, socket, session);
    this.#connections.add(connection);
    if (!session.authenticated) this.#addStranger(connection);
  }

  #addStranger(connection: Connection): void {
    const timer = this.services.runtime.timers.set(STRANGER_MS, () => connection.destroy());
    this.#strangers.set(connection, timer);
  }

  #forgetStranger(connection: Connection): void {
    const timer = this.#strangers.get(connection);
    if (timer === undefined) return;
    this.services.runtime.timers.clear(timer);
    this.#strangers.delete(connection);
  }

  #turnAway(socket: Socket, words: Uint8Array): void {
    this.clients.connectionsRefused++;
    socket.handle({ data: () => {}, closed: () => {} });
    socket.write(words);
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
