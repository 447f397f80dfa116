/** What the node knows of one client between its commands. */
import type { Consistency } from '@kvd/replication';
import type { CausalSession } from './causal-session.ts';
import type { RespProtocol } from './resp/encoder.ts';
import type { ConsistencyOverrides, NodeServices } from './services.ts';
import { ConnectionWrites } from './connection-writes.ts';
import { ClientRegistry } from './client-registry.ts';

export interface SessionOptions {
  /** `host:port` of the client. */
  readonly address?: string;
  /** The clients that CLIENT LIST and INFO tell of; a session without one is alone. */
  readonly clients?: ClientRegistry;
  /** By the runtime's monotonic clock. */
  readonly nowMs?: number;
  /**
   * Whether the client may run commands; false until it has given the password.
   * @default true
   */
  readonly authenticated?: boolean;
}

/** What a client sets of itself; RESET brings it back. */
export class Session {
  readonly id: number;
  readonly address: string;
  readonly clients: ClientRegistry;
  readonly createdMs: number;
  protocol: RespProtocol = 2;
  authenticated: boolean;
  name = '';
  libraryName = '';
  libraryVersion = '';
  noEvict = false;
  noTouch = false;
  /** Set over the keyspace's settings, for every command of this connection. Replaced, never changed. */
  overrides: ConsistencyOverrides = {};
  /** CAUSAL ON: what this connection has seen. */
  causal: CausalSession | undefined;
  /** The full name of the last command, `client|info` with its subcommand. */
  lastCommand = 'NULL';
  lastActiveMs: number;
  /** Writes under way, and the last one: for WAIT. */
  readonly writes = new ConnectionWrites();
  /** Has given a wrong password, and the log says so. */
  hasFailedAuth = false;
  /** CLIENT REPLY: `skip` is about the next command, `skipping` about the one that runs. */
  replies: 'on' | 'off' | 'skip' = 'on';
  /** Ends the connection, within the call; set by it. */
  kill: () => void = () => {};
  /** No command is taken after this one; its reply is sent, then the connection ends. */
  closing = false;
  #consistency: Consistency | string | undefined;
  #consistencyFor: { readonly overrides: ConsistencyOverrides; readonly epoch: number } | undefined;

  constructor(options: SessionOptions = {}) {
    this.clients = options.clients ?? new ClientRegistry();
    this.id = this.clients.nextId();
    this.address = options.address ?? '0.0.0.0:0';
    this.createdMs = options.nowMs ?? 0;
    this.authenticated = options.authenticated ?? true;
    this.lastActiveMs = this.createdMs;
  }

  /** What a command of this connection asks for when it says nothing itself; or why that makes no sense. */
  consistency(services: NodeServices): Consistency | string {
    const { epoch } = services.ring();
    const made = this.#consistencyFor;
    if (this.#consistency === undefined || made?.overrides !== this.overrides || made.epoch !== epoch) {
      this.#consistency = services.consistency(this.overrides);
      this.#consistencyFor = { overrides: this.overrides, epoch };
    }
    return this.#consistency;
  }

  /** As after connecting, but for the id. */
  reset(): void {
    this.protocol = 2;
    this.replies = 'on';
    this.name = '';
    this.noEvict = false;
    this.noTouch = false;
    this.overrides = {};
    this.causal = undefined;
  }
}
