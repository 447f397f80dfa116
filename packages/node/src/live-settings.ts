/** Settings that CONFIG SET changes while the node runs; they hold until it ends, and for this node alone. */
export interface LiveSettings {
  /** Keys above which KEYS refuses. */
  keysMax: number;
  /** Commands that take longer, in microseconds, are noted in the slow log; 0: all; -1: none. */
  slowLogSlowerThanUs: number;
  slowLogLengthMax: number;
  /** Commands that take longer, in milliseconds, are latency events; 0: none. */
  latencyThresholdMs: number;
}

export type LiveSettingName = keyof LiveSettings;

export function liveSettings(): LiveSettings {
  return { keysMax: 100_000, slowLogSlowerThanUs: 10_000, slowLogLengthMax: 128, latencyThresholdMs: 0 };
}

/** By the name that CONFIG has for it: which setting, and its bounds. */
export const LIVE_SETTINGS: ReadonlyMap<
  string,
  { readonly field: LiveSettingName; readonly least: number; readonly most: number }
> = new Map([
  ['kvd-keys-max', { field: 'keysMax', least: 1, most: 10_000_000 }],
  ['slowlog-log-slower-than', { field: 'slowLogSlowerThanUs', least: -1, most: Number.MAX_SAFE_INTEGER }],
  ['slowlog-max-len', { field: 'slowLogLengthMax', least: 0, most: 10_000 }],
  ['latency-monitor-threshold', { field: 'latencyThresholdMs', least: 0, most: Number.MAX_SAFE_INTEGER }],
]);
