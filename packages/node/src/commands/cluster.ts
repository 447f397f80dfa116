/** CLUSTER: what cluster clients ask to find the owner of a key, in the shapes of Redis 7. */
import { SLOT_COUNT, slotOf } from '@kvd/ring';
import type { Consistency } from '@kvd/replication';
import { failure, mapOf, type RespValue, verbatim } from '../resp/value.ts';
import { readDecimal } from '../resp/decimal.ts';
import { type KeyPage, walkPages } from './all-keys.ts';
import type { Call, CommandRow } from './command-row.ts';
import { clusterIdOf, type ClusterNode, type ClusterView, clusterView, type SlotRange } from './cluster-view.ts';
import { helpRow } from './help.ts';
import { withConsistency } from './records.ts';
import { NOT_AN_INTEGER } from './reply-errors.ts';

const NO_METADATA = mapOf([]);

function slots(call: Call): void {
  const { ranges } = clusterView(call.services);
  call.reply(ranges.map(({ from, to, nodes }) => [from, to, ...nodes.map(nodeOfSlots)]));
}

function nodeOfSlots({ member, clusterId }: ClusterNode): RespValue {
  return [member.host, member.port, clusterId, NO_METADATA];
}

/** A shard is the slots that have the same nodes in the same order. */
function shards(call: Call): void {
  const { ranges } = clusterView(call.services);
  const byRow = new Map<string, SlotRange[]>();
  for (const range of ranges) {
    const row = range.nodes.map(({ member }) => member.id).join(' ');
    const shard = byRow.get(row);
    if (shard === undefined) byRow.set(row, [range]);
    else shard.push(range);
  }
  call.reply([...byRow.values()].map(shardOf));
}

function shardOf(ranges: readonly SlotRange[]): RespValue {
  const nodes = ranges[0]?.nodes ?? [];
  return mapOf([
    ['slots', ranges.flatMap(({ from, to }) => [from, to])],
    ['nodes', nodes.map((node, i) => nodeOfShard(node, i === 0))],
  ]);
}

function nodeOfShard({ member, clusterId, isReachable }: ClusterNode, isFirst: boolean): RespValue {
  return mapOf([
    ['id', clusterId],
    ['port', member.port],
    ['ip', member.host],
    ['endpoint', member.host],
    ['role', isFirst ? 'master' : 'replica'],
    ['replication-offset', 0],
    ['health', isReachable ? 'online' : 'failed'],
  ]);
}

/** One line per node; each is the master of the slots that it is asked for first. */
function nodes(call: Call): void {
  const view = clusterView(call.services);
  call.reply(verbatim(view.nodes.map((node) => lineOf(node, view)).join('')));
}

const STATE_FLAGS = { alive: '', suspect: ',fail?', dead: ',fail', left: ',fail' } as const;

function lineOf(node: ClusterNode, { ring, ranges }: ClusterView): string {
  const { member, clusterId, isSelf, isReachable, state } = node;
  const flags = `${isSelf ? 'myself,' : ''}master${STATE_FLAGS[state]}`;
  const link = isReachable ? 'connected' : 'disconnected';
  const owned = ranges.filter(({ nodes: [first] }) => first === node).map(rangeText);
  const fields = [
    clusterId,
    `${member.host}:${member.port}@${member.peerPort}`,
    flags,
    '-',
    0,
    0,
    ring.epoch,
    link,
    ...owned,
  ];
  return `${fields.join(' ')}\n`;
}

function rangeText({ from, to }: SlotRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}

function info(call: Call): void {
  const { services } = call;
  const { ring, nodes: all, ranges } = clusterView(services);
  const count = (wanted: (range: SlotRange) => boolean): number =>
    ranges.filter(wanted).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const failed = count(({ nodes: row }) => row.every((node) => !node.isReachable));
  const weak = count(({ nodes: row }) => row.some((node) => !node.isReachable)) - failed;
  const lines = [
    `cluster_state:${isAnswering(call, all) ? 'ok' : 'fail'}`,
    'cluster_slots_assigned:16384',
    `cluster_slots_ok:${16_384 - weak - failed}`,
    `cluster_slots_pfail:${weak}`,
    `cluster_slots_fail:${failed}`,
    `cluster_known_nodes:${all.length}`,
    `cluster_size:${new Set(ranges.map(({ nodes: [first] }) => first)).size}`,
    `cluster_current_epoch:${ring.epoch}`,
    `cluster_my_epoch:${ring.epoch}`,
    'cluster_stats_messages_sent:0',
    'cluster_stats_messages_received:0',
    'total_cluster_links_buffer_limit_exceeded:0',
  ];
  call.reply(verbatim(lines.map((line) => `${line}\r\n`).join('')));
}

/** Whether plain reads and writes through this node find as many nodes as they need, counting fallbacks if they may serve. */
function isAnswering({ services, session }: Call, all: readonly ClusterNode[]): boolean {
  const made = session.consistency(services);
  if (typeof made === 'string') return false;
  const needed = neededNodes(made);
  const reachable = new Set(all.filter((node) => node.isReachable).map(({ member }) => member.id));
  if (made.mode === 'sloppy') return reachable.size >= needed;
  return services
    .ring()
    .runs()
    .every(({ row }) => row.filter((id) => reachable.has(id)).length >= needed);
}

function neededNodes({ r, w }: Consistency): number {
  return Math.max(r, w);
}

/** Keys of a slot, as R owners hold them. */
function keysInSlot(call: Call, most: number, done: (keys: readonly Buffer[]) => void): void {
  const slot = readDecimal(call.args[2] as Buffer);
  if (!(slot >= 0 && slot < SLOT_COUNT)) return call.reply(INVALID_SLOT);
  const keys: Buffer[] = [];
  const wanted = { place: { slot, after: Buffer.alloc(0) }, toSlot: slot, limit: Math.min(most, PAGE_MAX) };
  const more = (page: KeyPage): boolean => {
    for (const { key } of page.keys) keys.push(key);
    return keys.length < most;
  };
  call.session.writes.whenSettled(() =>
    withConsistency(call, (consistency) =>
      walkPages(call, consistency, wanted, more, (_, failed) =>
        failed === undefined ? done(keys.slice(0, most)) : call.reply(failed),
      ),
    ),
  );
}

function countKeysInSlot(call: Call): void {
  keysInSlot(call, Number.POSITIVE_INFINITY, (keys) => call.reply(keys.length));
}

function getKeysInSlot(call: Call): void {
  const count = readDecimal(call.args[3] as Buffer);
  if (Number.isNaN(count)) return call.reply(NOT_AN_INTEGER);
  if (count < 0) return call.reply(INVALID_COUNT);
  if (count === 0) return call.reply([]);
  keysInSlot(call, count, (keys) => call.reply(keys));
}

/** One link to each other member that can be reached, as dialled by this node. */
function links(call: Call): void {
  const { nodes: all } = clusterView(call.services);
  const linked = all.filter((node) => node.isReachable && !node.isSelf);
  call.reply(
    linked.map((node) =>
      mapOf([
        ['direction', 'to'],
        ['node', node.clusterId],
        ['create-time', 0],
        ['events', 'rw'],
        ['send-buffer-allocated', 0],
        ['send-buffer-used', 0],
      ]),
    ),
  );
}

const PAGE_MAX = 1000;
const INVALID_SLOT = failure('ERR Invalid slot');
const INVALID_COUNT = failure('ERR Invalid slot or number of keys');

const STALE = { flags: ['stale'], group: 'cluster', since: '3.0.0' } as const;
const CHANGING = ['nondeterministic_output'] as const;

const SUBCOMMANDS: readonly CommandRow[] = [
  {
    name: 'countkeysinslot',
    arity: 3,
    ...STALE,
    summary: 'Return the number of keys in the specified hash slot, wherever it is kept',
    complexity: 'O(N) where N is the number of keys in the slot',
    arguments: [{ name: 'slot', type: 'integer' }],
    handler: countKeysInSlot,
  },
  {
    name: 'getkeysinslot',
    arity: 4,
    ...STALE,
    tips: CHANGING,
    summary: 'Return keys in the specified hash slot, wherever it is kept',
    complexity: 'O(N) where N is the number of requested keys',
    arguments: [
      { name: 'slot', type: 'integer' },
      { name: 'count', type: 'integer' },
    ],
    handler: getKeysInSlot,
  },
  {
    name: 'links',
    arity: 2,
    ...STALE,
    since: '7.0.0',
    tips: CHANGING,
    summary: 'The connections of this node to the other members that it can reach',
    complexity: 'O(N) where N is the number of members',
    handler: links,
  },
  {
    name: 'info',
    arity: 2,
    ...STALE,
    tips: CHANGING,
    summary: 'Provides info about the state of the cluster as this node sees it',
    complexity: 'O(N) where N is the number of runs of slots',
    handler: info,
  },
  {
    name: 'keyslot',
    arity: 3,
    ...STALE,
    summary: 'Returns the hash slot of the specified key',
    complexity: 'O(N) where N is the number of bytes in the key',
    arguments: [{ name: 'key', type: 'string' }],
    handler: (call) => call.reply(slotOf(call.args[2] as Buffer)),
  },
  {
    name: 'myid',
    arity: 2,
    ...STALE,
    summary: 'Return the node id',
    complexity: 'O(1)',
    handler: (call) => call.reply(clusterIdOf(call.services.config.id)),
  },
  {
    name: 'nodes',
    arity: 2,
    ...STALE,
    tips: CHANGING,
    summary: 'Get the nodes of the cluster and their slots',
    complexity: 'O(N) where N is the number of runs of slots',
    handler: nodes,
  },
  {
    name: 'shards',
    arity: 2,
    ...STALE,
    since: '7.0.0',
    tips: CHANGING,
    summary: 'Get array of cluster slots to node mappings',
    complexity: 'O(N) where N is the number of runs of slots',
    handler: shards,
  },
  {
    name: 'slots',
    arity: 2,
    ...STALE,
    tips: CHANGING,
    summary: 'Get array of cluster slots to node mappings',
    complexity: 'O(N) where N is the number of runs of slots',
    handler: slots,
  },
];

export const CLUSTER_ROWS: readonly CommandRow[] = [
  {
    name: 'cluster',
    arity: -2,
    flags: [],
    group: 'cluster',
    since: '3.0.0',
    summary: 'A container for cluster commands',
    complexity: 'Depends on subcommand.',
    subcommands: [...SUBCOMMANDS, helpRow('cluster', SUBCOMMANDS)],
  },
];
