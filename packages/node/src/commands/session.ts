/** KVD.SESSION: what a connection asks of its replicas, for all its commands that say nothing themselves. */
import { applyPreset, type Consistency, isPresetName, PRESETS } from '@kvd/replication';
import { CausalSession } from '../causal-session.ts';
import { failure, mapOf, OK, type RespValue } from '../resp/value.ts';
import type { ConsistencyOverrides } from '../services.ts';
import type { Call, CommandRow } from './command-row.ts';
import { isPrefix, NUMBERS, readOptions } from './consistency-options.ts';
import { optionName } from './expiry-options.ts';
import { notAvailable, SYNTAX_ERROR } from './reply-errors.ts';

function session(call: Call): void {
  const { args } = call;
  if (args.length === 1) return show(call);
  const word = optionName(args[1] as Buffer);
  if (word === 'RESET' && args.length === 2) return reset(call);
  if (word === 'PRESET' && args.length === 3) return preset(call, (args[2] as Buffer).toString('latin1').toLowerCase());
  if (word === 'CAUSAL' && args.length === 3) return causal(call, optionName(args[2] as Buffer));
  options(call);
}

function show(call: Call): void {
  const { services, session } = call;
  const made = session.consistency(services);
  if (typeof made === 'string') return call.reply(failure(`ERR ${made}`));
  call.reply(
    mapOf([
      ...(['n', 'r', 'w', 'pr', 'pw', 'dw', 'mode', 'durability'] as const).map((name) => [name, made[name]] as const),
      ['timeout', made.timeoutMs],
      ['causal', session.causal === undefined ? 'off' : 'on'],
      ['set', Object.keys(session.overrides).map((name) => (name === 'timeoutMs' ? 'timeout' : name))],
    ]),
  );
}

/** The keyspace's settings again, and no causal guarantee; all else of the connection stays. */
function reset(call: Call): void {
  call.session.overrides = {};
  call.session.causal = undefined;
  call.reply(OK);
}

function options(call: Call): void {
  const prefix = readOptions(call.args);
  if (!isPrefix(prefix)) return call.reply(prefix);
  if (prefix.commandAt < call.args.length) return call.reply(SYNTAX_ERROR);
  if (prefix.requestToken !== undefined) {
    const why = 'an id names one request; use it with KVD.WITH';
    return call.reply(notAvailable('REQUEST of a whole session', why));
  }
  adopt(call, { ...call.session.overrides, ...prefix.overrides });
}

/** All or nothing: settings that make no sense together leave the session as it was. */
function adopt(call: Call, overrides: ConsistencyOverrides): void {
  const made = call.services.consistency(overrides);
  if (typeof made === 'string') return call.reply(failure(`ERR ${made}`));
  call.session.overrides = overrides;
  call.reply(OK);
}

/** R, W, PR, PW, DW and durability as the preset has them for the session's N; N, mode and timeout stay. */
function preset(call: Call, name: string): void {
  if (!isPresetName(name)) return call.reply(noSuchPreset(name));
  const { services, session } = call;
  const { r, w, pr, pw, dw, durability, ...kept } = session.overrides;
  const base = services.consistency(kept);
  if (typeof base === 'string') return call.reply(failure(`ERR ${base}`));
  const made: Consistency = applyPreset(base, name);
  const counts = { r: made.r, w: made.w, pr: made.pr, pw: made.pw, dw: made.dw };
  adopt(call, { ...kept, ...counts, ...(made.durability !== base.durability && { durability: made.durability }) });
}

function noSuchPreset(name: string): RespValue {
  if (name === 'local-quorum' || name === 'each-quorum') {
    return notAvailable(`preset ${name}`, 'it speaks of data centres, and there is one; use quorum', 'yet');
  }
  return failure(`ERR kvd: there is no such preset; there are ${Object.keys(PRESETS).join(', ')}`);
}

/** OFF forgets what was seen; ON begins with nothing seen, or goes on. */
function causal(call: Call, word: string): void {
  if (word !== 'ON' && word !== 'OFF') return call.reply(SYNTAX_ERROR);
  const { session } = call;
  session.causal = word === 'ON' ? (session.causal ?? new CausalSession()) : undefined;
  call.reply(OK);
}

export const SESSION_ROWS: readonly CommandRow[] = [
  {
    name: 'kvd.session',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    group: 'kvd',
    since: '0.1.0',
    summary: 'Set, or show, the consistency of all commands of this connection',
    complexity: 'O(1)',
    arguments: [
      {
        name: 'setting',
        type: 'oneof',
        optional: true,
        arguments: [
          {
            name: 'options',
            type: 'block',
            arguments: [
              ...Object.entries(NUMBERS).map(
                ([token, name]) => ({ name: name.toLowerCase(), type: 'integer', token, optional: true }) as const,
              ),
              {
                name: 'mode',
                type: 'oneof',
                optional: true,
                arguments: [
                  { name: 'strict', type: 'pure-token', token: 'STRICT' },
                  { name: 'sloppy', type: 'pure-token', token: 'SLOPPY' },
                ],
              },
            ],
          },
          { name: 'preset', type: 'string', token: 'PRESET' },
          {
            name: 'causal',
            type: 'oneof',
            token: 'CAUSAL',
            arguments: [
              { name: 'on', type: 'pure-token', token: 'ON' },
              { name: 'off', type: 'pure-token', token: 'OFF' },
            ],
          },
          { name: 'reset', type: 'pure-token', token: 'RESET' },
        ],
      },
    ],
    outermost: true,
    handler: session,
  },
];
