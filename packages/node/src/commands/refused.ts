/**
 * Commands of Redis that kvd refuses by design, for good or until what they need exists: one line why, and what to use instead.
 * All other commands that are not in the table are unknown, in the exact words of Redis.
 */
import type { RespValue } from '../resp/value.ts';
import { notAvailable } from './reply-errors.ts';

const NO_PRIMARY = 'every node takes writes, and there is no primary to follow; CLUSTER NODES lists the members';
const NO_DATABASES = 'there is one keyspace, database 0';
const NO_SCRIPTS = 'scripts cannot run on several replicas at once; use plain commands';
const NO_BLOCKING = 'no command waits for a write of another client';
const NO_MODULE = 'there are no modules';
const EXPLICIT_RING =
  'the members are named by --initial-members when the cluster is made; kvctl members and kvctl locate show them';
const NO_SAVING = 'every write is on disk when it is answered, and there is no append-only file to rewrite';

const NO_GENERATIONS =
  'a keyspace cannot be emptied at once on all nodes; delete keys that SCAN finds, or start a new cluster';

const COMMANDS: Readonly<Record<string, string>> = {
  flushall: NO_GENERATIONS,
  flushdb: NO_GENERATIONS,
  shutdown: 'a client does not stop a node; send SIGTERM to kvd, which answers what it has begun and then ends',
  debug: 'it would show or harm the inside of one node; KVD.EXPLAIN, KVD.LOCATE and KVD.STATS show what happens',
  monitor: 'commands are not told to other clients; SLOWLOG GET and KVD.EXPLAIN show what happens',
  sync: NO_PRIMARY,
  psync: NO_PRIMARY,
  replicaof: NO_PRIMARY,
  slaveof: NO_PRIMARY,
  replconf: NO_PRIMARY,
  failover: NO_PRIMARY,
  sentinel: NO_PRIMARY,
  move: NO_DATABASES,
  swapdb: NO_DATABASES,
  migrate: EXPLICIT_RING,
  bgrewriteaof: NO_SAVING,
  eval: NO_SCRIPTS,
  evalsha: NO_SCRIPTS,
  eval_ro: NO_SCRIPTS,
  evalsha_ro: NO_SCRIPTS,
  script: NO_SCRIPTS,
  fcall: NO_SCRIPTS,
  fcall_ro: NO_SCRIPTS,
  function: NO_SCRIPTS,
  blpop: NO_BLOCKING,
  brpop: NO_BLOCKING,
  blmove: NO_BLOCKING,
  blmpop: NO_BLOCKING,
  brpoplpush: NO_BLOCKING,
  bzpopmin: NO_BLOCKING,
  bzpopmax: NO_BLOCKING,
  bzmpop: NO_BLOCKING,
};

const MODULE_PREFIXES = ['json.', 'ft.', 'bf.', 'cf.', 'cms.', 'topk.', 'tdigest.', 'ts.'];

const NO_TRACKING = 'the node does not tell clients what has changed; keep values for a time instead';
const ONE_USER = 'there is one user, default; requirepass is its password';
const NO_LOADING = 'there are no modules';
const NO_LATENCY_GRAPH = 'LATENCY HISTORY and /metrics have the numbers';

/** Subcommands with reasons of their own. */
const REASONS: Readonly<Record<string, string>> = {
  'client pause': 'a node does not hold clients back; retry, or end them by CLIENT KILL',
  'client unpause': 'clients are never paused',
  'client tracking': NO_TRACKING,
  'client caching': NO_TRACKING,
  'acl setuser': ONE_USER,
  'acl deluser': ONE_USER,
  'acl getuser': ONE_USER,
  'acl load': ONE_USER,
  'acl save': ONE_USER,
  'acl cat': 'COMMAND LIST FILTERBY ACLCAT category lists the commands of one',
  'acl log': ONE_USER,
  'module load': NO_LOADING,
  'module loadex': NO_LOADING,
  'module unload': NO_LOADING,
  'latency graph': NO_LATENCY_GRAPH,
  'latency histogram': NO_LATENCY_GRAPH,
};

const SUBCOMMANDS: Readonly<Record<string, ReadonlySet<string>>> = {
  cluster: new Set([
    'meet',
    'forget',
    'addslots',
    'addslotsrange',
    'delslots',
    'delslotsrange',
    'flushslots',
    'setslot',
    'replicate',
    'failover',
    'reset',
    'bumpepoch',
    'set-config-epoch',
    'saveconfig',
  ]),
};

/** The refusal of these words; `undefined` when they are none of ours. */
export function refusedByDesign(args: readonly Buffer[]): RespValue | undefined {
  const name = textOf(args[0]);
  const why = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (why !== undefined) return notAvailable(name.toUpperCase(), why);
  if (MODULE_PREFIXES.some((prefix) => name.startsWith(prefix))) return notAvailable(name.toUpperCase(), NO_MODULE);
  const refused = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  const subcommand = textOf(args[1]);
  const reason = Object.hasOwn(REASONS, `${name} ${subcommand}`) ? REASONS[`${name} ${subcommand}`] : undefined;
  if (reason !== undefined) return notAvailable(`${name} ${subcommand}`.toUpperCase(), reason);
  if (refused?.has(subcommand)) return notAvailable(`${name} ${subcommand}`.toUpperCase(), EXPLICIT_RING);
  return undefined;
}

function textOf(word: Buffer | undefined): string {
  return word === undefined || word.length > 32 ? '' : word.toString('latin1').toLowerCase();
}
