/** KVD.EXPLAIN: runs a command, and tells what was done for it. */
import { explained } from '../explained.ts';
import { isFailure, mapOf, type RespValue } from '../resp/value.ts';
import { type ExplainedRequest, tracedServices } from '../traced-services.ts';
import { type Call, type CommandRow, keysOf } from './command-row.ts';
import { isPrefix, readOptions } from './consistency-options.ts';
import { resolve, type Resolved, run } from './dispatch.ts';
import { notAvailable } from './reply-errors.ts';

/** Each key is a request or two, each with its steps. */
const KEYS_MAX = 16;

function explain(call: Call): void {
  const { services, session } = call;
  const args = call.args.slice(1);
  const resolved = resolve(args);
  const problem = whyNot(resolved, args);
  if (problem !== undefined) return call.reply(problem);
  const requests: ExplainedRequest[] = [];
  const startedMs = services.runtime.clock.monotonicMs();
  run(resolved, {
    services: tracedServices(services, requests),
    session,
    args,
    overrides: undefined,
    local: false,
    reply: (reply) => {
      const tookUs = Math.round((services.runtime.clock.monotonicMs() - startedMs) * 1000);
      // What follows the answer in the same turn is told too: repairs.
      services.runtime.timers.defer(() => call.reply(explanation(call, reply, tookUs, requests)));
    },
  });
}

function whyNot(resolved: Resolved, args: readonly Buffer[]): RespValue | undefined {
  if (resolved.row === undefined) return resolved.refusal;
  const command = commandOf(args);
  const { row, name } = command === args ? resolved : resolve(command);
  if (row === undefined) return undefined;
  const keys = row.outermost || row.group === 'cluster' ? [] : keysOf(row, command);
  if (keys.length > 0 && keys.length <= KEYS_MAX) return undefined;
  const why = `it runs commands on 1 to ${KEYS_MAX} keys, and those behind KVD.WITH`;
  return notAvailable(`${name.toUpperCase().replace('|', ' ')} behind KVD.EXPLAIN`, why);
}

/** The words behind KVD.WITH and its options; the same words when they are of another command. */
function commandOf(args: readonly Buffer[]): readonly Buffer[] {
  if (args[0]?.toString('latin1').toLowerCase() !== 'kvd.with') return args;
  const prefix = readOptions(args);
  return isPrefix(prefix) && prefix.commandAt < args.length ? args.slice(prefix.commandAt) : args;
}

function keysBehind(args: readonly Buffer[]): readonly Buffer[] {
  const command = commandOf(args.slice(1));
  if (command.length === 0) return [];
  const { row } = resolve(command);
  return row === undefined || row.outermost ? [] : keysOf(row, command);
}

function explanation(call: Call, reply: RespValue, tookUs: number, requests: readonly ExplainedRequest[]): RespValue {
  for (const { trace } of requests) call.services.endTrace(trace);
  const isError = isFailure(reply);
  return mapOf([
    ['reply', isError ? null : reply],
    ['error', isError ? reply.text : null],
    ['us', tookUs],
    ['requests', requests.map((request) => explained(call.services, request))],
  ]);
}

export const EXPLAIN_ROWS: readonly CommandRow[] = [
  {
    name: 'kvd.explain',
    arity: -2,
    flags: ['movablekeys'],
    findKeys: keysBehind,
    group: 'kvd',
    since: '0.1.0',
    summary: 'Run one command, and tell which nodes were asked, what each held, and how long each step took',
    complexity: 'That of the command.',
    arguments: [
      { name: 'command', type: 'string' },
      { name: 'arg', type: 'string', optional: true, multiple: true },
    ],
    outermost: true,
    handler: explain,
  },
];
