/** Options of an engine: plain data. Defaults and checks: `resolveOptions`. */
export type CodecName = 'none' | 'snappy';

/**
 * When a write is answered.
 * - `memory`: in the memtable; lost by a killed process.
 * - `os`: after write(2); survives a killed process, not a power failure.
 * - `sync`: after fdatasync; survives both.
 */
export type Durability = 'memory' | 'os' | 'sync';
