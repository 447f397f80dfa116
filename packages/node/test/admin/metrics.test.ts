import { expect, test } from 'vitest';
import { Metrics } from '../../src/admin/metrics.ts';
import { ClientRegistry } from '../../src/client-registry.ts';
import { TIME_BOUNDS_SECONDS, TimeHistogram } from '../../src/time-histogram.ts';
import { MemoryServices } from '../fakes/memory-services.ts';

function metrics(): { text: () => Promise<string>; clients: ClientRegistry } {
  const services = new MemoryServices();
  const clients = new ClientRegistry();
  const peers = () => [
    { id: 'n2', reachable: true },
    { id: 'n"3', reachable: false },
  ];
  return { clients, text: () => new Metrics(() => ({ stats: () => services.stats(), clients, peers })).text() };
}

test('counters, gauges and labels are told, and the process besides', async () => {
  const { text, clients } = metrics();
  clients.authFailures = 2;
  const told = (await text()).split('\n');
  expect(told).toEqual(
    expect.arrayContaining([
      'kvd_up 1',
      '# TYPE kvd_write_ok_total counter',
      'kvd_write_ok_total 3',
      'kvd_engine_memtable_bytes 1024',
      'kvd_hints_pending_slots{target="n2"} 2',
      'kvd_peer_reachable{peer="n\\"3"} 0',
      'kvd_client_auth_failures_total 2',
    ]),
  );
  expect(told.some((line) => line.startsWith('process_resident_memory_bytes '))).toBe(true);
});

test('buckets of a histogram hold what is below them too', async () => {
  const { text, clients } = metrics();
  for (const ms of [0.05, 0.2, 7, 60_000]) clients.times.read.observe(ms);
  const lines = (await text()).split('\n').filter((line) => /duration_seconds.*kind="read"/.test(line));
  expect(lines).toHaveLength(TIME_BOUNDS_SECONDS.length + 3);
  expect(lines).toEqual(
    expect.arrayContaining([
      'kvd_command_duration_seconds_bucket{kind="read",le="0.0001"} 1',
      'kvd_command_duration_seconds_bucket{kind="read",le="0.00025"} 2',
      'kvd_command_duration_seconds_bucket{kind="read",le="0.01"} 3',
      'kvd_command_duration_seconds_bucket{kind="read",le="5"} 3',
      'kvd_command_duration_seconds_bucket{kind="read",le="+Inf"} 4',
      'kvd_command_duration_seconds_count{kind="read"} 4',
      'kvd_command_duration_seconds_sum{kind="read"} 60.00725',
    ]),
  );
});

test('a time on a bound belongs to the bucket of that bound', () => {
  const times = new TimeHistogram();
  times.observe(0.1);
  expect(times.counts[0]).toBe(1);
});

test('while the node is not there, the process is', async () => {
  expect(await new Metrics(() => undefined).text()).toContain('process_resident_memory_bytes');
});
