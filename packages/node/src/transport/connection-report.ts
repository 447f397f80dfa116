/** What the log and the counters say of connections that begin and end. */
import type { Runtime } from '../runtime.ts';
import type { AcceptedPeer } from './handshake.ts';
import type { CloseReason, PeerConnection } from './peer-connection.ts';
import type { TransportCounters } from './transport-counters.ts';

/** A stranger can be wrong as often as it likes: of each address so often a line is logged. */
const STRANGER_LOG_MS = 10_000;
/** Addresses that are remembered. */
const STRANGERS_MAX = 1024;

interface Quiet {
  until: number;
  /** Not logged since. */
  count: number;
}

/** Refusals that are remembered as logged. */
const REPORTED_MAX = 256;

export class ConnectionReport {
  readonly #runtime: Pick<Runtime, 'clock' | 'log' | 'probe'>;
  readonly #counters: TransportCounters;
  /** Attempts go on for ever, each second: a refusal is worth a line when it has not had one. */
  readonly #reported = new Set<string>();

  /** By event and address without port. */
  readonly #quiet = new Map<string, Quiet>();

  constructor(runtime: Pick<Runtime, 'clock' | 'log' | 'probe'>, counters: TransportCounters) {
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
        return this.#warn('peer-bad-frame', connection, { ...fields, error: reason.error });
      case 'bad-message':
        this.#counters.badMessages++;
        return this.#warn('peer-bad-message', connection, { ...fields, error: reason.error });
      case 'refused':
        this.#counters.refused++;
        return this.#refused(connection, fields, reason);
      default:
        return this.#lost(connection, fields, reason);
    }
  }

  /** At once, or counted in the next line of that address. */
  #warn(event: string, connection: PeerConnection, fields: Readonly<Record<string, unknown>>): void {
    if (connection.dialled !== undefined) return this.#runtime.log('warn', event, fields);
    const now = this.#runtime.clock.monotonicMs();
    const key = `${event} ${hostOf(connection.remoteAddress)}`;
    const quiet = this.#quiet.get(key);
    if (quiet !== undefined && now < quiet.until) {
      quiet.count++;
      return;
    }
    if (this.#quiet.size >= STRANGERS_MAX) this.#quiet.clear();
    this.#quiet.set(key, { until: now + STRANGER_LOG_MS, count: 0 });
    const more = quiet !== undefined && quiet.count > 0 ? { notLogged: quiet.count } : undefined;
    this.#runtime.log('warn', event, { ...fields, ...more });
  }

  #refused(
    connection: PeerConnection,
    fields: { peer: string | undefined },
    reason: CloseReason & { kind: 'refused' },
  ): void {
    const peer = reason.peer ?? fields.peer;
    const { code, reason: text } = reason.refusal;
    const key = `${peer} ${reason.by} ${text}`;
    const isKnown = this.#reported.has(key);
    if (this.#reported.size >= REPORTED_MAX) this.#reported.clear();
    this.#reported.add(key);
    const told = { ...fields, peer, by: reason.by, code, reason: text };
    if (isKnown) this.#runtime.log('debug', 'peer-refused', told);
    else this.#warn('peer-refused', connection, told);
  }

  #lost(connection: PeerConnection, fields: object, reason: CloseReason): void {
    if (connection.dialled === undefined) return;
    const error = reason.kind === 'error' ? reason.error : undefined;
    const level = connection.openedAt === undefined ? 'debug' : 'info';
    const why = error ? { reason: reason.kind, error } : { reason: reason.kind };
    this.#runtime.log(level, 'peer-unreachable', { ...fields, ...why });
  }
}

function hostOf(address: string): string {
  const colon = address.lastIndexOf(':');
  return colon === -1 ? address : address.slice(0, colon);
}
