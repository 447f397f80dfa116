/** Tuning of anti-entropy. */
export interface AntiEntropyOptions {
  /**
   * Milliseconds between two rounds with every reachable peer. Larger: less traffic. Costs: longer until a silent difference is
   * found.
   * @default 60000
   */
  readonly intervalMs?: number;
  /**
   * A peer that has returned is compared with after this many milliseconds to twice as many (at random), so that its hints come
   * first and not everybody asks at once.
   * @default 1500
   */
  readonly returnedAfterMs?: number;
  /**
   * Slots compared by one message, at most 4096. Larger: fewer round trips. Costs: that many leaves read at a stretch.
   * @default 1024
   */
  readonly slotsPerMessage?: number;
  /**
   * Keys listed by one message. Larger: fewer round trips. Costs: longer work at a stretch on both sides.
   * @default 512
   */
  readonly keysPerMessage?: number;
  /**
   * Bytes of records (or of keys) in one message, about: at least one always goes.
   * @default 256 KiB
   */
  readonly messageBytes?: number;
  /**
   * Milliseconds between two steps of a round, for the foreground to go on. With 0 the next step follows at once.
   * @default 1
   */
  readonly pauseMs?: number;
  /**
   * Milliseconds to wait for any answer; then the round ends, and the next interval tries again.
   * @default 10000
   */
  readonly replyTimeoutMs?: number;
}

export const ANTI_ENTROPY_DEFAULTS: Readonly<Required<AntiEntropyOptions>> = Object.freeze({
  intervalMs: 60_000,
  returnedAfterMs: 1500,
  slotsPerMessage: 1024,
  keysPerMessage: 512,
  messageBytes: 256 * 1024,
  pauseMs: 1,
  replyTimeoutMs: 10_000,
});

/** No message compares more slots than this, and no answerer reads more leaves for one. */
export const SLOTS_PER_MESSAGE_MAX = 4096;

/** Fills in the defaults. Throws RangeError when a value is out of its range. */
export function resolveAntiEntropyOptions(options: AntiEntropyOptions = {}): Required<AntiEntropyOptions> {
  const resolved = { ...ANTI_ENTROPY_DEFAULTS, ...options };
  for (const [name, value] of Object.entries(resolved)) {
    const least = name === 'pauseMs' || name === 'returnedAfterMs' ? 0 : 1;
    if (!(value >= least)) throw new RangeError(`anti-entropy option ${name} must not be ${value}`);
  }
  if (resolved.slotsPerMessage > SLOTS_PER_MESSAGE_MAX) {
    throw new RangeError(`slotsPerMessage is at most ${SLOTS_PER_MESSAGE_MAX}, not ${resolved.slotsPerMessage}`);
  }
  return resolved;
}
