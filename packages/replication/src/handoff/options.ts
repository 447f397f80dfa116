/** Pacing of the delivery of hints. */
export interface HandoffOptions {
  /**
   * Hints in one message at most. Larger: fewer round trips. Costs: longer work at the target at a stretch.
   * @default 64
   */
  readonly bunchCount?: number;
  /**
   * Bytes of records in one message, about: at least one record always goes.
   * @default 256 KiB
   */
  readonly bunchBytes?: number;
  /**
   * Milliseconds between an acknowledgement and the next bunch, for the foreground to go on. With 0 the next follows at once.
   * @default 5
   */
  readonly pauseMs?: number;
  /**
   * Delivery begins after a random part of this many milliseconds once a target is reachable, so that not everybody falls on it
   * at the same time.
   * @default 300
   */
  readonly startWithinMs?: number;
  /**
   * Milliseconds to wait for the acknowledgement of a bunch.
   * @default 10000
   */
  readonly replyTimeoutMs?: number;
  /**
   * First wait after a failure, and after a hint was kept for a reachable target; doubles with each failure in a row.
   * @default 1000
   */
  readonly retryAfterMs?: number;
  /**
   * The longest wait between two tries: there is no last one.
   * @default 60000
   */
  readonly retryAfterMsMax?: number;
  /**
   * Milliseconds between looks for hints whose target is reachable but has no delivery under way.
   * @default 10000
   */
  readonly sweepIntervalMs?: number;
  /**
   * Hints per target that were refused alone and wait while the others go on.
   * @default 256
   */
  readonly setAsideMax?: number;
}

export const HANDOFF_DEFAULTS: Readonly<Required<HandoffOptions>> = Object.freeze({
  bunchCount: 64,
  bunchBytes: 256 * 1024,
  pauseMs: 5,
  startWithinMs: 300,
  replyTimeoutMs: 10_000,
  retryAfterMs: 1000,
  retryAfterMsMax: 60_000,
  sweepIntervalMs: 10_000,
  setAsideMax: 256,
});

/** Fills in the defaults. Throws RangeError when a value is negative or a bunch would be empty. */
export function resolveHandoffOptions(options: HandoffOptions = {}): Required<HandoffOptions> {
  const resolved = { ...HANDOFF_DEFAULTS, ...options };
  for (const [name, value] of Object.entries(resolved)) {
    if (!(value >= 0)) throw new RangeError(`handoff option ${name} must not be ${value}`);
  }
  if (resolved.bunchCount < 1 || resolved.retryAfterMs < 1) {
    throw new RangeError('handoff options bunchCount and retryAfterMs must be at least 1');
  }
  return resolved;
}
