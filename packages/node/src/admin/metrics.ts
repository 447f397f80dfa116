/**
 * What a node tells of itself, as metrics of Prometheus. Values are read when somebody asks, so that counting costs a request
 * nothing more than the counters that it moves anyway. The only file that imports prom-client; its default metrics (process,
 * event loop, garbage collection) have timers of their own, and so it belongs to the real entry.
 */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import type { ClientRegistry } from '../client-registry.ts';
import type { NodeStats } from '../services.ts';
import { TIME_BOUNDS_SECONDS, type TimeHistogram } from '../time-histogram.ts';

/** What is asked at each scrape. */
export interface MetricSources {
  stats(): NodeStats;
  readonly clients: ClientRegistry;
  /** Other members of the ring, and whether each can be reached. */
  peers(): readonly { readonly id: string; readonly reachable: boolean }[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it is not the family's own: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

/** Numbers of the engine that only grow; its others go up and down. */
const ENGINE_COUNTERS = /^(?:log|background(?!LastThreadId)[A-Z]|delayedAnswers$)/;

/** Answers with the text of /metrics; `sources` answers nothing while the node is not there yet. */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #process = new Registry();
  readonly #sources: () => MetricSources | undefined;

  constructor(sources: () => MetricSources | undefined) {
    this.#sources = sources;
    collectDefaultMetrics({ register: this.#process });
  }

  async text(): Promise<string> {
    const sources = this.#sources();
    const families = sources === undefined ? [] : metricFamilies(sources);
    return `${await textOf(families)}${await this.#process.metrics()}`;
  }
}

async function textOf(families: readonly MetricFamily[]): Promise<string> {
  const registry = new Registry();
  for (const family of families) {
    // A registry asks a metric for its name and its values, and that is all that a family has.
    const metric = { name: family.name, get: async () => ({ ...family, aggregator: 'sum' }) };
    registry.registerMetric(metric as unknown as Metric);
  }
  return registry.metrics();
}

/** All that kvd itself tells, without the process. */
export function metricFamilies({ stats, clients, peers }: MetricSources): readonly MetricFamily[] {
  const told = stats();
  const hints = Object.entries(told.hintsPending);
  return [
    gauge('kvd_up', 'Whether the engine takes writes.', told.health === 'OK' ? 1 : 0),
    gauge('kvd_uptime_seconds', 'Since the node began to start.', told.uptimeMs / 1000),
    gauge('kvd_incarnation', 'Number of this start of the node.', told.incarnation),
    family('kvd_hints_pending_slots', 'gauge', 'Slots with hints kept for another node.', labelled('target', hints)),
    family(
      'kvd_peer_reachable',
      'gauge',
      'Whether requests to the member can be sent now.',
      peers().map(({ id, reachable }) => ({ labels: { peer: id }, value: reachable ? 1 : 0 })),
    ),
    ...Object.entries(told.counters).map(([name, value]) => counter(`kvd_${name}`, `${name}: as in INFO kvd.`, value)),
    ...Object.entries(told.engine).map(([name, value]) => engineFamily(name, value)),
    ...clientFamilies(clients),
  ];
}

function clientFamilies(clients: ClientRegistry): readonly MetricFamily[] {
  return [
    gauge('kvd_clients_connected', 'Client connections.', clients.size),
    counter('kvd_client_connections', 'Client connections accepted.', clients.connectionsReceived),
    counter('kvd_client_connections_refused', 'Client connections turned away.', clients.connectionsRefused),
    counter('kvd_client_auth_failures', 'AUTH and HELLO with a wrong name or password.', clients.authFailures),
    counter('kvd_commands', 'Commands taken.', clients.commandsProcessed),
    counter('kvd_error_replies', 'Commands answered with an error.', clients.errorReplies),
    counter('kvd_client_received_bytes', 'Bytes from clients.', clients.bytesReceived),
    counter('kvd_client_sent_bytes', 'Bytes to clients.', clients.bytesSent),
    family(
      'kvd_command_duration_seconds',
      'histogram',
      'From the arrival of a command to its reply, by kind of command.',
      Object.entries(clients.times).flatMap(([kind, times]) => histogramSamples(kind, times)),
    ),
  ];
}

/** Prometheus wants each bucket to hold those below it too. */
function histogramSamples(kind: string, { counts, totalMs }: TimeHistogram): readonly Sample[] {
  const name = 'kvd_command_duration_seconds';
  const samples: Sample[] = [];
  let sum = 0;
  counts.forEach((count, bucket) => {
    sum += count;
    const le = TIME_BOUNDS_SECONDS[bucket] ?? '+Inf';
    samples.push({ labels: { kind, le }, value: sum, metricName: `${name}_bucket` });
  });
  samples.push({ labels: { kind }, value: totalMs / 1000, metricName: `${name}_sum` });
  samples.push({ labels: { kind }, value: sum, metricName: `${name}_count` });
  return samples;
}

function engineFamily(name: string, value: number): MetricFamily {
  const make = ENGINE_COUNTERS.test(name) ? counter : gauge;
  return make(`kvd_engine_${snake(name)}`, `Of the storage engine: ${name}.`, value);
}

function counter(name: string, help: string, value: number): MetricFamily {
  return family(`${name}_total`, 'counter', help, [{ labels: {}, value }]);
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return family(name, 'gauge', help, [{ labels: {}, value }]);
}

function family(name: string, type: MetricFamily['type'], help: string, values: readonly Sample[]): MetricFamily {
  return { name, type, help, values };
}

function labelled(label: string, entries: readonly (readonly [string, number])[]): readonly Sample[] {
  return entries.map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
