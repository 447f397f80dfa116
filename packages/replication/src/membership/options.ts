/** Tuning of gossip and of the failure detector. */
export interface MembershipOptions {
  /**
   * Milliseconds between two rounds. Larger: less traffic. Costs: slower news; keep it below a third of `suspectAfterMs`.
   * @default 1000
   */
  readonly gossipIntervalMs?: number;
  /**
   * Milliseconds without a new heartbeat after which this node suspects a member; times log10 of the members above ten, since
   * news takes longer to cross a larger cluster. Larger: fewer false alarms. Costs: later detection.
   * @default 5000
   */
  readonly suspectAfterMs?: number;
  /**
   * Milliseconds without a new heartbeat after which a member that enough others suspect is called dead; scaled alike.
   * @default 15000
   */
  readonly deadAfterMs?: number;
  /**
   * Every how many rounds a seed is asked besides the random member, so that islands which never met do meet.
   * @default 5
   */
  readonly seedEveryRounds?: number;
  /**
   * Every how many rounds a suspect or dead member is tried besides, so that it is found again when it returns.
   * @default 3
   */
  readonly silentEveryRounds?: number;
  /**
   * Lines of the table at most; news of further members is dropped and counted.
   * @default 1024
   */
  readonly membersMax?: number;
  /**
   * Names kept per member of those who suspect it (the least by order); two are enough for a verdict, so more only inform.
   * @default 8
   */
  readonly suspectedByMax?: number;
}

export const MEMBERSHIP_DEFAULTS: Readonly<Required<MembershipOptions>> = Object.freeze({
  gossipIntervalMs: 1000,
  suspectAfterMs: 5000,
  deadAfterMs: 15_000,
  seedEveryRounds: 5,
  silentEveryRounds: 3,
  membersMax: 1024,
  suspectedByMax: 8,
});

/** Fills in the defaults. Throws RangeError when a value is not a positive number or `deadAfterMs` is below `suspectAfterMs`. */
export function resolveMembershipOptions(options: MembershipOptions = {}): Required<MembershipOptions> {
  const resolved = { ...MEMBERSHIP_DEFAULTS, ...options };
  for (const [name, value] of Object.entries(resolved)) {
    if (!(value > 0)) throw new RangeError(`membership option ${name} must be above 0, not ${value}`);
  }
  if (resolved.suspectedByMax < 2) throw new RangeError('membership option suspectedByMax must be at least 2');
  if (resolved.deadAfterMs < resolved.suspectAfterMs) {
    throw new RangeError(`deadAfterMs (${resolved.deadAfterMs}) is below suspectAfterMs (${resolved.suspectAfterMs})`);
  }
  return resolved;
}
