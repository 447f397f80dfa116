/** SLOWLOG and LATENCY: what this node has noted of commands that took long. */
import { failure, OK, type RespValue, verbatim } from '../resp/value.ts';
import { readDecimal } from '../resp/decimal.ts';
import type { SlowCommand } from '../slow-log.ts';
import type { Call, CommandRow } from './command-row.ts';
import { helpRow } from './help.ts';
import { NOT_AN_INTEGER } from './reply-errors.ts';

const COUNT_DEFAULT = 10;
const COUNT_OUT_OF_RANGE = failure('ERR count should be greater than or equal to -1');
/** The one kind of latency event that kvd notes. */
const EVENT = 'command';
const NO_MONITORING =
  'I\'m sorry, Dave, I can\'t do that. Latency monitoring is disabled in this node. You may use "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it.\n';

function get(call: Call): void {
  const [, , word] = call.args;
  if (call.args.length > 3) return call.reply(failure("ERR wrong number of arguments for 'slowlog|get' command"));
  const count = word === undefined ? COUNT_DEFAULT : readDecimal(word);
  if (!Number.isSafeInteger(count)) return call.reply(NOT_AN_INTEGER);
  if (count < -1) return call.reply(COUNT_OUT_OF_RANGE);
  call.reply(call.session.clients.slowLog.commands(count).map(entryOf));
}

function entryOf({ id, atS, tookUs, words, address, clientName }: SlowCommand): RespValue {
  return [id, atS, tookUs, words, address, clientName];
}

function latest(call: Call): void {
  const events = call.session.clients.slowLog.events();
  const last = events.at(-1);
  if (last === undefined) return call.reply([]);
  call.reply([[EVENT, last.atS, last.tookMs, Math.max(...events.map(({ tookMs }) => tookMs))]]);
}

function history(call: Call): void {
  const isKnown = (call.args[2] as Buffer).toString('latin1').toLowerCase() === EVENT;
  const events = isKnown ? call.session.clients.slowLog.events() : [];
  call.reply(events.map(({ atS, tookMs }) => [atS, tookMs]));
}

/** How many kinds of events were forgotten. */
function resetLatency(call: Call): void {
  const { slowLog } = call.session.clients;
  const names = call.args.slice(2).map((word) => word.toString('latin1').toLowerCase());
  const isMeant = (names.length === 0 || names.includes(EVENT)) && slowLog.events().length > 0;
  if (isMeant) slowLog.clearEvents();
  call.reply(isMeant ? 1 : 0);
}

function doctor(call: Call): void {
  const { slowLog, settings } = call.session.clients;
  if (settings.latencyThresholdMs === 0) return call.reply(verbatim(NO_MONITORING));
  const events = slowLog.events();
  if (events.length === 0)
    return call.reply(
      verbatim('Dave, no latency spike was observed during the lifetime of this node, not in the slightest bit.\n'),
    );
  const times = events.map(({ tookMs }) => tookMs);
  const mean = Math.round(times.reduce((sum, ms) => sum + ms, 0) / times.length);
  const text = `1. ${EVENT}: ${events.length} latency spikes (average ${mean}ms, worst ${Math.max(...times)}ms). SLOWLOG GET names the commands, KVD.EXPLAIN says where the time of one goes.\n`;
  call.reply(verbatim(text));
}

const ADMIN = { flags: ['admin', 'loading', 'stale'], group: 'server', tips: ['nondeterministic_output'] } as const;

const SLOWLOG: readonly CommandRow[] = [
  {
    name: 'get',
    arity: -2,
    ...ADMIN,
    since: '2.2.12',
    summary: "Get this node's slow log's entries",
    complexity: 'O(N) where N is the number of entries returned',
    arguments: [{ name: 'count', type: 'integer', optional: true }],
    handler: get,
  },
  {
    name: 'len',
    arity: 2,
    ...ADMIN,
    since: '2.2.12',
    summary: "Get this node's slow log's length",
    complexity: 'O(1)',
    handler: (call) => call.reply(call.session.clients.slowLog.length),
  },
  {
    name: 'reset',
    arity: 2,
    ...ADMIN,
    since: '2.2.12',
    summary: "Clear all entries from this node's slow log",
    complexity: 'O(N) where N is the number of entries in the slowlog',
    handler: (call) => {
      call.session.clients.slowLog.clear();
      call.reply(OK);
    },
  },
];

const LATENCY: readonly CommandRow[] = [
  {
    name: 'doctor',
    arity: 2,
    ...ADMIN,
    since: '2.8.13',
    summary: 'Return a human readable latency analysis report.',
    complexity: 'O(1)',
    handler: doctor,
  },
  {
    name: 'history',
    arity: 3,
    ...ADMIN,
    since: '2.8.13',
    summary: 'Return timestamp-latency samples for the event: command is the only one.',
    complexity: 'O(1)',
    arguments: [{ name: 'event', type: 'string' }],
    handler: history,
  },
  {
    name: 'latest',
    arity: 2,
    ...ADMIN,
    since: '2.8.13',
    summary: 'Return the latest latency samples for all events.',
    complexity: 'O(1)',
    handler: latest,
  },
  {
    name: 'reset',
    arity: -2,
    ...ADMIN,
    since: '2.8.13',
    summary: 'Reset latency data for one or more events.',
    complexity: 'O(1)',
    arguments: [{ name: 'event', type: 'string', optional: true, multiple: true }],
    handler: resetLatency,
  },
];

export const SLOW_LOG_ROWS: readonly CommandRow[] = [
  {
    name: 'slowlog',
    arity: -2,
    flags: [],
    group: 'server',
    since: '2.2.12',
    summary: 'A container for slow log commands',
    complexity: 'Depends on subcommand.',
    subcommands: [...SLOWLOG, helpRow('slowlog', SLOWLOG)],
  },
  {
    name: 'latency',
    arity: -2,
    flags: [],
    group: 'server',
    since: '2.8.13',
    summary: 'A container for latency diagnostics commands',
    complexity: 'Depends on subcommand.',
    subcommands: [...LATENCY, helpRow('latency', LATENCY)],
  },
];
