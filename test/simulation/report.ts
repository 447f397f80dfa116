/** What a run says of itself, as text. */
import type { SimulationReport } from './simulator.ts';

export interface Totals {
  seeds: number;
  failures: number;
  reruns: number;
  unequal: number;
  operations: number;
  leastOperations: number;
  partitions: number;
  leastPartitions: number;
  droppingCrashes: number;
  leastDroppingCrashes: number;
  droppedBytes: number;
  starts: number;
  simulatedMs: number;
  events: number;
  readonly commands: Record<string, number>;
  readonly writes: Record<string, number>;
  readonly faults: Record<string, number>;
  readonly network: Record<string, number>;
  readonly probes: Record<string, number>;
  readonly hashes: Set<string>;
}

export function emptyTotals(): Totals {
  const most = Number.POSITIVE_INFINITY;
  return {
    seeds: 0,
    failures: 0,
    reruns: 0,
    unequal: 0,
    operations: 0,
    leastOperations: most,
    partitions: 0,
    leastPartitions: most,
    droppingCrashes: 0,
    leastDroppingCrashes: most,
    droppedBytes: 0,
    starts: 0,
    simulatedMs: 0,
    events: 0,
    commands: {},
    writes: {},
    faults: {},
    network: {},
    probes: {},
    hashes: new Set(),
  };
}

export function addReport(totals: Totals, report: SimulationReport): void {
  const { faults } = report;
  const operations = sum(report.commands);
  totals.seeds++;
  if (report.violation !== undefined) totals.failures++;
  totals.operations += operations;
  totals.leastOperations = Math.min(totals.leastOperations, operations);
  totals.partitions += faults.partitions;
  totals.leastPartitions = Math.min(totals.leastPartitions, faults.partitions);
  totals.droppingCrashes += faults.droppingCrashes;
  totals.leastDroppingCrashes = Math.min(totals.leastDroppingCrashes, faults.droppingCrashes);
  totals.droppedBytes += faults.droppedBytes;
  totals.starts += report.starts;
  totals.simulatedMs += report.simulatedMs;
  totals.events += report.events;
  totals.hashes.add(report.traceHash);
  addTo(totals.commands, report.commands);
  addTo(totals.writes, report.writes);
  addTo(totals.faults, faults.byKind);
  addTo(totals.network, { ...report.network });
  addTo(totals.probes, report.probes);
}

/** One seed in full. */
export function seedText(report: SimulationReport, commit: string): string {
  const { faults, simulatedMs } = report;
  return [
    `seed ${report.seed}, commit ${commit}`,
    `operations  ${sum(report.commands)}: ${listed(report.commands)}; ${listed(report.kinds)}`,
    `writes      ${listed(report.writes)}`,
    `faults      ${sum(faults.byKind)}: ${listed(faults.byKind)}`,
    `            ${crashText(faults)}`,
    `network     ${listed({ ...report.network })}`,
    `starts      ${report.starts} (${report.failedStarts} failed; ${report.engineFailures} engines failed)`,
    `probes      ${listed(report.probes)}`,
    `simulated   ${(simulatedMs / 1000).toFixed(1)} s, ${report.events} events`,
    `trace hash  ${report.traceHash}`,
    `replay      npm run sim -- --seed ${report.seed}`,
  ].join('\n');
}

/** What was broken, all that is known of the key, and how to see it again. */
export function failureText(report: SimulationReport, commit: string, replay: string): string {
  const { violation } = report;
  if (violation === undefined) return '';
  return [
    `FAILED seed ${report.seed}, commit ${commit}, trace hash ${report.traceHash}`,
    `broken      ${violation.invariant}`,
    `            ${violation.message}`,
    ...(violation.key === undefined ? [] : [`history of ${violation.key}`, violation.history]),
    'last lines of the logs',
    violation.logs,
    ...(violation.stack === undefined ? [] : [violation.stack]),
    `replay      npm run sim -- ${replay}`,
  ].join('\n');
}

export interface RunFacts {
  readonly commit: string;
  readonly first: number;
  readonly count: number;
  readonly realMs: number;
}

export function summaryText(totals: Totals, { commit, first, count, realMs }: RunFacts): string {
  const hours = totals.simulatedMs / 3_600_000;
  const verdict =
    totals.failures + totals.unequal === 0 ? 'no invariant was broken' : `${totals.failures} seeds FAILED`;
  return [
    `seeds       ${first} to ${first + count - 1}, commit ${commit}`,
    `operations  ${totals.operations} (least per seed ${totals.leastOperations}): ${listed(totals.commands)}`,
    `writes      ${listed(totals.writes)}`,
    `faults      ${sum(totals.faults)}: ${listed(totals.faults)}`,
    `partitions  ${totals.partitions} (least per seed ${totals.leastPartitions})`,
    `crashes     ${totals.droppingCrashes} dropped unsynced bytes, ${totals.droppedBytes} in all (least per seed ${totals.leastDroppingCrashes}); ${totals.starts} starts`,
    `network     ${listed(totals.network)}`,
    `probes      ${listed(totals.probes)}`,
    `simulated   ${hours.toFixed(2)} h, ${totals.events} events, in ${(realMs / 1000).toFixed(1)} s of real time`,
    `replays     ${totals.reruns} seeds run twice, ${totals.unequal} with another hash; ${totals.hashes.size} different hashes`,
    `${totals.seeds} seeds, ${totals.failures} failed: ${verdict}`,
    `replay      npm run sim -- --seed N`,
  ].join('\n');
}

function crashText(faults: SimulationReport['faults']): string {
  const { partitions, droppingCrashes, droppedBytes, tornWrites } = faults;
  return `${partitions} partitions; ${droppingCrashes} crashes dropped ${droppedBytes} unsynced bytes, ${tornWrites} writes torn`;
}

function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function addTo(into: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) into[name] = (into[name] ?? 0) + count;
}
