/** INFO: the sections of Redis that tools read, and one of kvd's own. Numbers that a node does not have are left out. */
import { slotOfAddress } from '@kvd/replication';
import { CONNECTIONS_MAX } from '../limits.ts';
import { verbatim } from '../resp/value.ts';
import type { NodeStats } from '../services.ts';
import { clusterIdOf } from './cluster-view.ts';
import type { Call, CommandRow } from './command-row.ts';
import { KVD_VERSION, REDIS_VERSION } from './version.ts';

const SLOTS = 16_384;

type Fields = readonly (readonly [string, string | number])[];

interface Section {
  readonly title: string;
  /** Only when asked for by name, or for everything. */
  readonly isExtra?: boolean;
  readonly fields: (call: Call, stats: NodeStats) => Fields;
}

/** By the name that a client asks for, in the order of Redis. */
const SECTIONS: ReadonlyMap<string, Section> = new Map([
  ['server', { title: 'Server', fields: server }],
  ['clients', { title: 'Clients', fields: clients }],
  ['memory', { title: 'Memory', fields: memory }],
  ['persistence', { title: 'Persistence', fields: persistence }],
  ['stats', { title: 'Stats', fields: statistics }],
  ['replication', { title: 'Replication', fields: replication }],
  ['cluster', { title: 'Cluster', fields: () => [['cluster_enabled', 0]] }],
  ['commandstats', { title: 'Commandstats', fields: commandStats, isExtra: true }],
  ['keyspace', { title: 'Keyspace', fields: keyspace }],
  ['kvd', { title: 'kvd', fields: kvd }],
]);
const ALL = new Set(['all', 'everything', 'default']);

function info(call: Call): void {
  const wanted = new Set(call.args.slice(1).map((word) => word.toString('latin1', 0, 32).toLowerCase()));
  const isAll = wanted.size === 0 || [...wanted].some((name) => ALL.has(name));
  const isEverything = wanted.has('all') || wanted.has('everything');
  const stats = call.services.stats();
  const texts: string[] = [];
  for (const [name, section] of SECTIONS) {
    const isShown = wanted.has(name) || (section.isExtra ? isEverything : isAll);
    if (!isShown) continue;
    const lines = section.fields(call, stats).map(([field, value]) => `${field}:${value}\r\n`);
    texts.push(`# ${section.title}\r\n${lines.join('')}`);
  }
  call.reply(verbatim(texts.join('\r\n')));
}

function server({ services }: Call, stats: NodeStats): Fields {
  const { config } = services;
  const seconds = Math.floor(stats.uptimeMs / 1000);
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_mode', 'standalone'],
    ['kvd_version', KVD_VERSION],
    ['run_id', clusterIdOf(`${config.id}#${stats.incarnation}`)],
    ['tcp_port', config.port],
    ['uptime_in_seconds', seconds],
    ['uptime_in_days', Math.floor(seconds / 86_400)],
  ];
}

function clients({ session }: Call): Fields {
  return [
    ['connected_clients', session.clients.size],
    ['maxclients', CONNECTIONS_MAX],
    ['blocked_clients', 0],
  ];
}

/** What the engine holds in memory of its own; the process takes more. */
function memory(_: Call, { engine }: NodeStats): Fields {
  const bytes = (engine['memtableBytes'] ?? 0) + (engine['blockCacheBytes'] ?? 0);
  return [
    ['used_memory', bytes],
    ['used_memory_human', `${(bytes / (1024 * 1024)).toFixed(2)}M`],
    ['maxmemory', 0],
    ['maxmemory_policy', 'noeviction'],
  ];
}

function persistence(): Fields {
  return [
    ['loading', 0],
    ['async_loading', 0],
    ['rdb_bgsave_in_progress', 0],
    ['aof_enabled', 1],
  ];
}

function statistics({ session }: Call): Fields {
  const { clients } = session;
  return [
    ['total_connections_received', clients.connectionsReceived],
    ['total_commands_processed', clients.commandsProcessed],
    ['total_net_input_bytes', clients.bytesReceived],
    ['total_net_output_bytes', clients.bytesSent],
    ['rejected_connections', clients.connectionsRefused],
    ['total_error_replies', clients.errorReplies],
  ];
}

function replication(): Fields {
  return [
    ['role', 'master'],
    ['connected_slaves', 0],
  ];
}

function commandStats({ session }: Call): Fields {
  return session.clients.commandStats.counts().map(({ name, calls, tookMs, failures }) => {
    const us = Math.round(tookMs * 1000);
    const perCall = (us / calls).toFixed(2);
    const fields = `calls=${calls},usec=${us},usec_per_call=${perCall},rejected_calls=0,failed_calls=${failures}`;
    return [`cmdstat_${name}`, fields];
  });
}

/** Slots that this node owns, from the first on, until so many records were seen; what that lets expect of all. */
const RECORDS_LOOKED_AT = 10_000;

function keyspace({ services }: Call): Fields {
  const { id } = services.config;
  let [slots, records, keys, expires] = [0, 0, 0, 0];
  for (const { from, to, row } of services.ring().runs()) {
    if (!row.includes(id)) continue;
    let after: Uint8Array = Buffer.alloc(0);
    do {
      const page = services.scanLocal({ fromSlot: from, toSlot: to, after, limit: RECORDS_LOOKED_AT });
      if (page === undefined) return [];
      records += page.records.length;
      keys += page.records.filter(({ live }) => live).length;
      expires += page.records.filter((record) => record.expires).length;
      after = page.covered;
    } while (after.length > 0 && records < RECORDS_LOOKED_AT);
    slots += (after.length === 0 ? to : slotOfAddress(after)) - from + 1;
    if (records >= RECORDS_LOOKED_AT) break;
  }
  const all = (count: number): number => (slots === 0 ? 0 : Math.round((count * SLOTS) / slots));
  return keys === 0 ? [] : [['db0', `keys=${all(keys)},expires=${all(expires)},avg_ttl=0`]];
}

function kvd({ services }: Call, stats: NodeStats): Fields {
  const ring = services.ring();
  const hints = Object.values(stats.hintsPending).reduce((sum, count) => sum + count, 0);
  const { id } = services.config;
  let slotsOwned = 0;
  for (const { from, to, row } of ring.runs()) if (row.includes(id)) slotsOwned += to - from + 1;
  return [
    ['node_id', id],
    ['cluster_id', stats.clusterId],
    ['incarnation', stats.incarnation],
    ['health', stats.health],
    ['ring_epoch', ring.epoch],
    ['ring_members', ring.members.length],
    ['slots_owned', slotsOwned],
    ['hints_pending', hints],
    ...Object.entries(stats.counters),
  ];
}

export const INFO_ROWS: readonly CommandRow[] = [
  {
    name: 'info',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['dangerous'],
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    group: 'server',
    since: '1.0.0',
    summary: 'Get information and statistics about the server',
    complexity: 'O(1)',
    arguments: [{ name: 'section', type: 'string', optional: true, multiple: true }],
    handler: info,
  },
];
