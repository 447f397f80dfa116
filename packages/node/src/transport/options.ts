/** Options of the peer transport. */
export interface TransportOptions {
  /**
   * Milliseconds between two pings on a connection. Shorter: a half-open connection is found sooner. Costs: two small frames
   * per peer each time.
   * @default 1000
   */
  readonly heartbeatMs?: number;
  /**
   * Milliseconds without a byte after which a connection is closed and its peer unreachable. Some heartbeats, or a busy peer
   * is taken for a dead one.
   * @default 3000
   */
  readonly silenceMs?: number;
  /**
   * Milliseconds from dialling, or being dialled, to the end of the handshake.
   * @default 3000
   */
  readonly handshakeMs?: number;
  /**
   * Milliseconds before the first new attempt to reach a peer; each further one waits twice as long.
   * @default 50
   */
  readonly reconnectMinMs?: number;
  /**
   * The longest wait between two attempts. Shorter: a returned peer is found sooner. Costs: connection attempts while it is away.
   * @default 1000
   */
  readonly reconnectMaxMs?: number;
  /**
   * Bytes of messages that may wait for one peer; what exceeds them is dropped. Larger: longer bursts to a slow peer. Costs: that
   * much memory for each.
   * @default 64 MiB
   */
  readonly queueBytesMax?: number;
  /**
   * Bytes that wait for one peer above which its questions for records are answered later. Well below `queueBytesMax`, or
   * answers are dropped.
   * @default 16 MiB
   */
  readonly holdBytes?: number;
  /**
   * Milliseconds that a message without a deadline of its own may wait.
   * @default 10000
   */
  readonly queueMs?: number;
  /**
   * Connections that have not shown yet who they are; more are closed.
   * @default 64
   */
  readonly strangersMax?: number;
}

export const TRANSPORT_DEFAULTS: Required<TransportOptions> = Object.freeze({
  heartbeatMs: 1000,
  silenceMs: 3000,
  handshakeMs: 3000,
  reconnectMinMs: 50,
  reconnectMaxMs: 1000,
  queueBytesMax: 64 * 1024 * 1024,
  holdBytes: 16 * 1024 * 1024,
  queueMs: 10_000,
  strangersMax: 64,
});

/** Fills in defaults. Throws RangeError for a value that is not a positive number. */
export function resolveTransportOptions(options: TransportOptions = {}): Required<TransportOptions> {
  const resolved = { ...TRANSPORT_DEFAULTS, ...options };
  for (const [name, value] of Object.entries(resolved)) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`${name} is ${value}: it must be a positive number`);
  }
  return resolved;
}
