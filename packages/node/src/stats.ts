/** What a node tells of itself: flat numbers, for INFO, kvctl and later metrics. */
import type { Engine } from '@kvd/lsm';
import type { Driver } from './driver.ts';
import type { NodeParts } from './node-parts.ts';
import type { NodeStats } from './services.ts';

export interface StatsSources {
  readonly uptimeMs: number;
  readonly health: string;
  readonly engine: Engine;
  readonly parts: NodeParts;
  readonly driver: Driver;
}

export function nodeStats({ uptimeMs, health, engine, parts, driver }: StatsSources): NodeStats {
  const stats = engine.stats();
  const hintsPending: Record<string, number> = {};
  for (const target of parts.store.hintTargets()) hintsPending[target] = parts.hintSlots(target);
  return {
    uptimeMs,
    incarnation: parts.incarnation,
    clusterId: parts.clusterId.toString('hex'),
    health,
    engine: { ...numbersOf(stats), ...nested('log', stats.log), ...nested('background', stats.background) },
    counters: {
      ...prefixed('write', driver.writes.counters),
      ...prefixed('read', driver.reads.counters),
      ...prefixed('router', driver.router.counters),
      ...prefixed('replica', parts.replica.counters),
      ...prefixed('handoff', driver.handoff.counters),
      ...prefixed('exchange', driver.antiEntropy.counters),
      ...prefixed('gossip', driver.membership.counters),
      ...prefixed('transport', parts.transport.counters),
    },
    hintsPending,
  };
}

/** `log`, `bytesWritten` → `logBytesWritten`. */
function nested(group: string, values: object): Record<string, number> {
  const entries = Object.entries(numbersOf(values));
  return Object.fromEntries(
    entries.map(([name, value]) => [`${group}${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
  );
}

function prefixed(prefix: string, counters: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(numbersOf(counters)).map(([name, value]) => [prefixName(prefix, snake(name)), value]),
  );
}

function numbersOf(values: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `readRepairs` of `read` is `read_repairs`, not `read_read_repairs`. */
function prefixName(prefix: string, name: string): string {
  return name.startsWith(`${prefix}_`) ? name : `${prefix}_${name}`;
}
