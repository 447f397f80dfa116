/** What the log and the counters say of connections that begin and end. */
import type { Runtime } from '../runtime.ts';
import type { AcceptedPeer } from './handshake.ts';
import type { CloseReason, PeerConnection } from './peer-connection.ts';
import type { TransportCounters } from './transport-counters.ts';

/** Refusals that are remembered as logged. */
const REPORTED_MAX = 256;

export class ConnectionReport {
  readonly #runtime: Pick<Runtime, 'log' | 'probe'>;
  readonly #counters: TransportCounters;
  /** Attempts go on for ever, each second: a refusal is worth a line when it has not had one. */
  readonly #reported = new Set<string>();

  constructor(runtime: Pick<Runtime, 'log' | 'probe'>, counters: TransportCounters) {
    this.#runtime = runtime;
    this.#counters = counters;
  }

  opened(connection: PeerConnection, peer: AcceptedPeer): void {
    this.#counters.opened++;
    this.#reported.clear();
    if (connection.dialled === undefined) return;
    this.#runtime.log('info', 'peer-reachable', { peer: peer.id, incarnation: peer.incarnation });
  }

  closed(connection: PeerConnection, reason: CloseReason): void {
    this.#runtime.probe?.(`transport-closed-${reason.kind}`);
    const fields = { peer: connection.peer?.id ?? connection.dialled, address: connection.remoteAddress };
    switch (reason.kind) {
      case 'bad-frame':
        this.#counters.badFrames++;
        return this.#runtime.log('warn', 'peer-bad-frame', { ...fields, error: reason.error });
      case 'bad-message':
        this.#counters.badMessages++;
        return this.#runtime.log('warn', 'peer-bad-message', { ...fields, error: reason.error });
      case 'refused':
        this.#counters.refused++;
        return this.#refused(fields, reason);
      default:
        return this.#lost(connection, fields, reason);
    }
  }

  #refused(fields: { peer: string | undefined }, reason: CloseReason & { kind: 'refused' }): void {
    const peer = reason.peer ?? fields.peer;
    const { code, reason: text } = reason.refusal;
    const key = `${peer} ${reason.by} ${text}`;
    const level = this.#reported.has(key) ? 'debug' : 'warn';
    if (this.#reported.size >= REPORTED_MAX) this.#reported.clear();
    this.#reported.add(key);
    this.#runtime.log(level, 'peer-refused', { ...fields, peer, by: reason.by, code, reason: text });
  }

  #lost(connection: PeerConnection, fields: object, reason: CloseReason): void {
    if (connection.dialled === undefined) return;
    const error = reason.kind === 'error' ? reason.error : undefined;
    const level = connection.openedAt === undefined ? 'debug' : 'info';
    const why = error ? { reason: reason.kind, error } : { reason: reason.kind };
    this.#runtime.log(level, 'peer-unreachable', { ...fields, ...why });
  }
}
