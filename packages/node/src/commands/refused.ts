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

const COMMANDS: Readonly<Record<string, string>> = {
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
  if (refused?.has(subcommand)) return notAvailable(`${name} ${subcommand}`.toUpperCase(), EXPLICIT_RING);
  return undefined;
}

function textOf(word: Buffer | undefined): string {
  return word === undefined || word.length > 32 ? '' : word.toString('latin1').toLowerCase();
}
