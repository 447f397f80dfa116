/** SCAN KEYS DBSIZE RANDOMKEY: commands on all keys of the cluster, wherever they are. */
import type { Consistency } from '@kvd/replication';
import { failure, type RespValue } from '../resp/value.ts';
import { readDecimal } from '../resp/decimal.ts';
import type { ScanPlace } from '../scan-reader.ts';
import { FIRST_PLACE, type KeyPage, type PageWanted, walkPages } from './all-keys.ts';
import type { Call, CommandRow } from './command-row.ts';
import { globMatches } from './glob.ts';
import { withConsistency } from './records.ts';
import { NOT_AN_INTEGER, SYNTAX_ERROR } from './reply-errors.ts';
import { cursorOf, markOf, readCursor, type ScanCursor } from './scan-cursor.ts';

const INVALID_CURSOR = failure('ERR invalid cursor');
const COUNT_DEFAULT = 10;
const PAGE_MAX = 1000;
/** Pages of one SCAN: where most slots have other owners than their neighbours, or most records are deleted. */
const PAGES_MAX = 32;
/** So many keys DBSIZE counts; beyond, it tells what the slots that it has seen let expect. */
const COUNTED_MAX = 100_000;
const SLOTS = 16_384;
const KEYS_PER_DRAW = 32;

interface ScanOptions {
  readonly match: string | undefined;
  readonly count: number;
  readonly type: string | undefined;
}

function scan(call: Call): void {
  const word = call.args[1] as Buffer;
  const cursor = readCursor(word);
  if (cursor === undefined) return call.reply(INVALID_CURSOR);
  const options = readScanOptions(call.args);
  if ('refusal' in options) return call.reply(options.refusal);
  afterWrites(call, (consistency) =>
    placeOf(call, consistency, word, cursor, (place, failed) => {
      if (place === undefined) return call.reply(failed as RespValue);
      scanFrom(call, consistency, place, options);
    }),
  );
}

function scanFrom(call: Call, consistency: Consistency, place: ScanPlace, options: ScanOptions): void {
  const found: Buffer[] = [];
  let left = options.count;
  let pages = 0;
  const more = (page: KeyPage): boolean => {
    for (const { key } of page.keys) if (isWanted(key, options)) found.push(key);
    left -= page.keys.length;
    return left > 0 && ++pages < PAGES_MAX;
  };
  const wanted = { place, limit: Math.min(options.count, PAGE_MAX) };
  walkPages(call, consistency, wanted, more, (next, failed) => {
    if (failed !== undefined) return call.reply(failed);
    const cursor = cursorOf(next);
    if (next !== undefined) call.session.clients.scans.remember(cursor, next);
    call.reply([cursor, found]);
  });
}

function isWanted(key: Buffer, { match, type }: ScanOptions): boolean {
  return (
    (type === undefined || type === 'string') && (match === undefined || globMatches(match, key.toString('latin1')))
  );
}

/** Where the cursor's mark is; the start of its slot when it is nowhere. */
function placeOf(
  call: Call,
  consistency: Consistency,
  word: Buffer,
  { slot, mark }: ScanCursor,
  done: (place: ScanPlace | undefined, failed?: RespValue) => void,
): void {
  const start = { slot, after: FIRST_PLACE.after };
  if (mark === 0n) return done(start);
  const known = call.session.clients.scans.find(word.toString('latin1'));
  if (known !== undefined) return done({ slot, after: known });
  let place: ScanPlace = start;
  const more = ({ visited }: KeyPage): boolean => {
    const last = visited.find(({ address }) => markOf(address) === mark);
    if (last !== undefined) place = { slot, after: last.address };
    return last === undefined;
  };
  walkPages(call, consistency, { place: start, toSlot: slot, limit: PAGE_MAX }, more, (_, failed) =>
    failed === undefined ? done(place) : done(undefined, failed),
  );
}

/** In the order of Redis: the first option that is wrong is told. */
function readScanOptions(args: readonly Buffer[]): ScanOptions | { readonly refusal: RespValue } {
  let match: string | undefined;
  let type: string | undefined;
  let count = COUNT_DEFAULT;
  for (let i = 2; i < args.length; i += 2) {
    const name = (args[i] as Buffer).toString('latin1', 0, 8).toUpperCase();
    const value = args[i + 1];
    if (value === undefined) return { refusal: SYNTAX_ERROR };
    if (name === 'MATCH') match = value.toString('latin1');
    else if (name === 'TYPE') type = value.toString('latin1').toLowerCase();
    else if (name !== 'COUNT') return { refusal: SYNTAX_ERROR };
    else {
      count = readDecimal(value);
      if (!Number.isSafeInteger(count)) return { refusal: NOT_AN_INTEGER };
      if (count < 1) return { refusal: SYNTAX_ERROR };
    }
  }
  return { match: match === '*' ? undefined : match, type, count };
}

function keys(call: Call): void {
  const pattern = (call.args[1] as Buffer).toString('latin1');
  const most = call.session.clients.settings.keysMax;
  const found: Buffer[] = [];
  let seen = 0;
  const more = (page: KeyPage): boolean => {
    seen += page.keys.length;
    for (const { key } of page.keys)
      if (pattern === '*' || globMatches(pattern, key.toString('latin1'))) found.push(key);
    return seen <= most;
  };
  everyKey(call, { place: FIRST_PLACE, limit: PAGE_MAX }, more, () => call.reply(seen > most ? tooMany(most) : found));
}

function tooMany(most: number): RespValue {
  return failure(`ERR kvd: there are more than kvd-keys-max ${most} keys; use SCAN, which takes them a few at a time`);
}

function dbsize(call: Call): void {
  let count = 0;
  const more = (page: KeyPage): boolean => {
    count += page.keys.length;
    return count <= COUNTED_MAX;
  };
  everyKey(call, { place: FIRST_PLACE, limit: PAGE_MAX }, more, (next) =>
    call.reply(next === undefined ? count : Math.round((count * SLOTS) / Math.max(1, next.slot))),
  );
}

/** From a slot drawn by lot, then round: keys of empty neighbourhoods are likelier than others. */
function randomKey(call: Call): void {
  const { random } = call.services.runtime;
  const slot = random.uint32() % SLOTS;
  const draw = (page: KeyPage): Buffer | undefined => page.keys[random.uint32() % page.keys.length]?.key;
  const from = (place: ScanPlace, otherwise: () => void): void => {
    let drawn: Buffer | undefined;
    const more = (page: KeyPage): boolean => {
      drawn = draw(page);
      return drawn === undefined;
    };
    everyKey(call, { place, limit: KEYS_PER_DRAW }, more, () =>
      drawn === undefined ? otherwise() : call.reply(drawn),
    );
  };
  from({ slot, after: FIRST_PLACE.after }, () => from(FIRST_PLACE, () => call.reply(null)));
}

function everyKey(
  call: Call,
  wanted: PageWanted,
  more: (page: KeyPage) => boolean,
  done: (next: ScanPlace | undefined) => void,
): void {
  afterWrites(call, (consistency) =>
    walkPages(call, consistency, wanted, more, (next, failed) =>
      failed === undefined ? done(next) : call.reply(failed),
    ),
  );
}

function afterWrites(call: Call, go: (consistency: Consistency) => void): void {
  call.session.writes.whenSettled(() => withConsistency(call, go));
}

const READS = { flags: ['readonly'], group: 'generic' } as const;
const PATTERN = { name: 'pattern', type: 'pattern' } as const;

export const SCAN_ROWS: readonly CommandRow[] = [
  {
    name: 'scan',
    arity: -2,
    ...READS,
    categories: ['keyspace'],
    tips: ['nondeterministic_output', 'request_policy:special'],
    since: '2.8.0',
    summary: 'Incrementally iterate the keys space of the whole cluster',
    complexity:
      'O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.',
    history: [['6.0.0', 'Added the `TYPE` subcommand.']],
    arguments: [
      { name: 'cursor', type: 'integer' },
      { ...PATTERN, token: 'MATCH', optional: true },
      { name: 'count', type: 'integer', token: 'COUNT', optional: true },
      { name: 'type', type: 'string', token: 'TYPE', optional: true, since: '6.0.0' },
    ],
    handler: scan,
  },
  {
    name: 'keys',
    arity: 2,
    ...READS,
    categories: ['dangerous'],
    tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
    since: '1.0.0',
    summary: 'Find all keys matching the given pattern',
    complexity: 'O(N) with N being the number of keys in the cluster; refused above kvd-keys-max',
    arguments: [PATTERN],
    handler: keys,
  },
  {
    name: 'dbsize',
    arity: 1,
    ...READS,
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    group: 'server',
    since: '1.0.0',
    summary: 'Return the number of keys: exact up to 100000, beyond that an estimate',
    complexity: 'O(N) up to 100000 keys',
    handler: dbsize,
  },
  {
    name: 'randomkey',
    arity: 1,
    ...READS,
    tips: ['request_policy:all_shards', 'nondeterministic_output'],
    since: '1.0.0',
    summary: 'Return a random key',
    complexity: 'O(1)',
    handler: randomKey,
  },
];
