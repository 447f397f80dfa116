/**
 * What can be set about coordinators, the named consistency presets, and the check of a consistency before it is used.
 */
import type { Consistency } from './messages.ts';

export interface CoordinatorOptions {
  /**
   * How long a sloppy write of a coordinator that is not first in the row, or in a new tenure, waits for R contexts before it
   * goes on without them (counted as `preReadSkipped`). Never more than a quarter of the request's time. Larger: fewer
   * needless siblings while replicas are slow. Costs: latency of those writes. Strict writes wait to their end.
   * @default 200
   */
  readonly preReadTimeoutMs?: number;
  /**
   * Silence after which a read asks one owner more, and again after each such time. Smaller: a slow replica is felt less.
   * Costs: more reads than R.
   * @default 20
   */
  readonly hedgeAfterMs?: number;
  /**
   * Silence of an owner that seemed reachable, after which a sloppy request that is not yet answered turns to a fallback.
   * Never more than half of the request's time. Smaller: paused nodes are felt less. Costs: hints for nodes that were only
   * slow.
   * @default 500
   */
  readonly standInAfterMs?: number;
}

export const DEFAULT_COORDINATOR_OPTIONS: Required<CoordinatorOptions> = Object.freeze({
  preReadTimeoutMs: 200,
  hedgeAfterMs: 20,
  standInAfterMs: 500,
});

/** Fills in defaults. Throws RangeError for a time that is not a positive number. */
export function resolveCoordinatorOptions(options: CoordinatorOptions = {}): Required<CoordinatorOptions> {
  const resolved = { ...DEFAULT_COORDINATOR_OPTIONS, ...options };
  for (const [name, value] of Object.entries(resolved)) {
    if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} must be a positive number, got ${value}`);
  }
  return resolved;
}

/** A number of replicas: itself, all N, or more than half of N. */
export type ReplicaCount = number | 'all' | 'majority';

export interface Preset {
  readonly r: ReplicaCount;
  readonly w: ReplicaCount;
  readonly dw: number;
  /** Undefined: as the keyspace says. */
  readonly durability: Consistency['durability'] | undefined;
}

/**
 * DESIGN §6. `quorum` is 3/2/2 for N=3. `one-of-n`: the write call has returned on W nodes, one of them (the coordinator) has
 * synced.
 */
export const PRESETS = Object.freeze({
  quorum: { r: 'majority', w: 'majority', dw: 0, durability: undefined },
  'fast-read': { r: 1, w: 'all', dw: 0, durability: undefined },
  'fast-write': { r: 'all', w: 1, dw: 0, durability: undefined },
  eventual: { r: 1, w: 1, dw: 0, durability: undefined },
  'one-of-n': { r: 'majority', w: 'majority', dw: 1, durability: 'os' },
} satisfies Record<string, Preset>);

export type PresetName = keyof typeof PRESETS;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(PRESETS, name);
}

/** `base` with the preset's R, W, DW and durability, PR and PW lifted; N, mode and timeout stay. */
export function applyPreset(base: Consistency, name: PresetName): Consistency {
  const preset: Preset = PRESETS[name];
  return {
    ...base,
    r: replicas(preset.r, base.n),
    w: replicas(preset.w, base.n),
    pr: 0,
    pw: 0,
    dw: preset.dw,
    durability: preset.durability ?? base.durability,
  };
}

function replicas(count: ReplicaCount, n: number): number {
  if (count === 'all') return n;
  return count === 'majority' ? Math.floor(n / 2) + 1 : count;
}

/**
 * Why the consistency makes no sense in a ring of `ringNodes` nodes, in words for the client; undefined if it does.
 * R+W ≤ N and the like are choices, not errors.
 */
export function checkConsistency(consistency: Consistency, ringNodes: number): string | undefined {
  const { n, r, w, pr, pw, dw, timeoutMs } = consistency;
  return (
    countError('N', n, 1) ??
    countError('R', r, 1) ??
    countError('W', w, 1) ??
    countError('PR', pr, 0) ??
    countError('PW', pw, 0) ??
    countError('DW', dw, 0) ??
    excessError(`N=${n}`, n, `${ringNodes} ${ringNodes === 1 ? 'node' : 'nodes'} in the ring`, ringNodes) ??
    excessError(`R=${r}`, r, `N=${n}`, n) ??
    excessError(`W=${w}`, w, `N=${n}`, n) ??
    excessError(`PR=${pr}`, pr, `R=${r}`, r) ??
    excessError(`PW=${pw}`, pw, `W=${w}`, w) ??
    excessError(`DW=${dw}`, dw, `W=${w}`, w) ??
    (timeoutMs > 0 && timeoutMs < Infinity
      ? undefined
      : `TIMEOUT must be a positive number of milliseconds, not ${timeoutMs}`)
  );
}

function countError(name: string, value: number, least: number): string | undefined {
  return Number.isSafeInteger(value) && value >= least
    ? undefined
    : `${name} must be an integer of at least ${least}, not ${value}`;
}

function excessError(name: string, value: number, limitName: string, limit: number): string | undefined {
  return value <= limit ? undefined : `${name} is more than ${limitName}`;
}
