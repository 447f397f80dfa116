/** DEL UNLINK EXISTS TOUCH TYPE. */
import { type Consistency, type DeleteOperation, isLive, type WriteOperation } from '@kvd/replication';
import { simple } from '../resp/value.ts';
import type { Call, CommandRow } from './command-row.ts';
import { distinctKeys, keyProblem, operate, readRecord, readValue, withConsistency } from './records.ts';
import { scatter, type Settled } from './scatter.ts';

const NONE = simple('none');
const STRING = simple('string');

const DELETE: DeleteOperation = Object.freeze({ type: 'delete', supersedes: 'held', answer: 'presence' });

/** Counts those that were there. A delete of an absent key writes nothing. */
function del(call: Call): void {
  const keys = distinctKeys(call.args.slice(1));
  for (const key of keys) {
    const problem = keyProblem(key);
    if (problem !== undefined) return call.reply(problem);
  }
  withConsistency(call, (consistency) =>
    scatter<Buffer, boolean>(
      keys,
      (key, settled) => deleteKey(call, consistency, key, settled),
      (deleted, failed) => call.reply(failed ?? deleted.filter(Boolean).length),
    ),
  );
}

/**
 * Where the coordinator finds nothing, R replicas are asked before the client is told so: a value that was written while the
 * coordinator could not be reached goes too, by what was seen of it.
 */
function deleteKey(call: Call, consistency: Consistency, key: Buffer, settled: Settled<boolean>): void {
  operate(call, consistency, key, DELETE, (result, failed) => {
    if (result === undefined || result.applied || failed !== undefined) return settled(result?.applied, failed);
    readRecord(call, consistency, key, (record, unread) => {
      if (record === undefined || !isLive(record, call.services.hybridNowMs())) return settled(false, unread);
      const seen: WriteOperation = { ...DELETE, supersedes: record.context.encode() };
      operate(call, consistency, key, seen, (again, unwritten) => settled(again?.applied, unwritten));
    });
  });
}

function exists(call: Call): void {
  withConsistency(call, (consistency) =>
    scatter<Buffer, boolean>(
      call.args.slice(1),
      (key, settled) => readValue(call, consistency, key, (value, failed) => settled(value !== undefined, failed)),
      (found, failed) => call.reply(failed ?? found.filter(Boolean).length),
    ),
  );
}

function type(call: Call): void {
  withConsistency(call, (consistency) =>
    readValue(call, consistency, call.args[1] as Buffer, (value, failed) =>
      call.reply(failed ?? (value === undefined ? NONE : STRING)),
    ),
  );
}

const ALL_KEYS = { firstKey: 1, lastKey: -1, keyStep: 1 } as const;
const REMOVES = { ...ALL_KEYS, keyFlags: ['RM', 'delete'], group: 'generic', handler: del } as const;
const SUM = ['request_policy:multi_shard', 'response_policy:agg_sum'] as const;
const KEYS = [{ name: 'key', type: 'key', multiple: true }] as const;

const COUNTS = {
  arity: -2,
  flags: ['readonly', 'fast'],
  ...ALL_KEYS,
  keyFlags: ['RO'],
  local: true,
  tips: SUM,
  group: 'generic',
  arguments: KEYS,
  handler: exists,
} as const;

export const KEY_ROWS: readonly CommandRow[] = [
  {
    name: 'del',
    arity: -2,
    flags: ['write'],
    ...REMOVES,
    tips: SUM,
    since: '1.0.0',
    summary: 'Delete a key',
    complexity: 'O(N) where N is the number of keys that will be removed.',
    arguments: KEYS,
  },
  {
    name: 'unlink',
    arity: -2,
    flags: ['write', 'fast'],
    ...REMOVES,
    tips: SUM,
    since: '4.0.0',
    summary: 'Delete a key; the same as DEL',
    complexity: 'O(N) where N is the number of keys that will be removed.',
    arguments: KEYS,
  },
  {
    name: 'exists',
    ...COUNTS,
    since: '1.0.0',
    summary: 'Determine if a key exists',
    complexity: 'O(N) where N is the number of keys to check.',
    history: [['3.0.3', 'Accepts multiple `key` arguments.']],
  },
  {
    name: 'touch',
    ...COUNTS,
    since: '3.2.1',
    summary: 'Returns the number of existing keys specified; no access time is kept',
    complexity: 'O(N) where N is the number of keys that will be touched.',
  },
  {
    name: 'type',
    arity: 2,
    flags: ['readonly', 'fast'],
    firstKey: 1,
    lastKey: 1,
    keyStep: 1,
    keyFlags: ['RO'],
    local: true,
    group: 'generic',
    since: '1.0.0',
    summary: 'Determine the type stored at key',
    complexity: 'O(1)',
    arguments: [{ name: 'key', type: 'key' }],
    handler: type,
  },
];
