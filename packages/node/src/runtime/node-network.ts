/**
 * The network of the machine: TCP by node:net. Every error of a socket ends in one `closed(error)`. The ends close
 * separately (`allowHalfOpen`): a handler that does not care about `ended` gets the usual answer, an end in return.
 */
import net from 'node:net';
import type { Address, Listener, Network, Socket, SocketHandlers } from '../runtime.ts';

/** First keep-alive probe after this silence; finds dead clients. Peers have a heartbeat of their own. */
const KEEP_ALIVE_MS = 30_000;
/** Unaccepted connections that the kernel may keep. */
const BACKLOG = 511;

const NO_HANDLERS: SocketHandlers = { data() {}, closed() {} };

export class NodeNetwork implements Network {
  listen(address: Address, accept: (socket: Socket) => void, done: (error?: Error, listener?: Listener) => void): void {
    const server = net.createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    server.on('connection', (socket) => accept(new NodeSocket(socket)));
    const failed = (error: Error): void => done(error);
    server.once('error', failed);
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
      server.off('error', failed);
      // An error of accept (EMFILE) concerns that connection only: the listener lives on.
      server.on('error', () => {});
      done(undefined, new NodeListener(server));
    });
  }

  connect(address: Address, handlers: SocketHandlers): Socket {
    const socket = net.connect({
      host: address.host,
      port: address.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    const connection = new NodeSocket(socket, `${address.host}:${address.port}`);
    connection.handle(handlers);
    return connection;
  }
}

class NodeListener implements Listener {
  readonly port: number;
  readonly #server: net.Server;

  constructor(server: net.Server) {
    this.#server = server;
    const address = server.address();
    this.port = address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** `net.Server` says "closed" when the last connection has gone; here the port is free at once, and that is what counts. */
  close(done: () => void): void {
    this.#server.close();
    setImmediate(done);
  }
}

class NodeSocket implements Socket {
  readonly remoteAddress: string;
  readonly #socket: net.Socket;
  #handlers: SocketHandlers = NO_HANDLERS;
  #error: Error | undefined;

  constructor(socket: net.Socket, remoteAddress?: string) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress ?? `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`;
    socket.on('connect', () => this.#handlers.connected?.());
    socket.on('drain', () => this.#handlers.drained?.());
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.once('close', () => this.#closed());
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  handle(handlers: SocketHandlers): void {
    const first = this.#handlers === NO_HANDLERS;
    this.#handlers = handlers;
    // Listening to 'data' starts the flow, so it is done when somebody takes the bytes.
    if (first) this.#socket.on('data', (chunk: Buffer) => this.#handlers.data(chunk));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true;
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #ended(): void {
    if (this.#handlers.ended) this.#handlers.ended();
    else this.#socket.end();
  }

  #closed(): void {
    const handlers = this.#handlers;
    this.#handlers = NO_HANDLERS;
    handlers.closed(this.#error);
  }
}
