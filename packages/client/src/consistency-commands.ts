/** KVD.WITH and KVD.SESSION: how many replicas, for one command or for all of a connection. */
import { type ConsistencyOptions, consistencyWords, type RequestOptions } from './consistency.ts';
import type { CommandParser, ModuleCommands, RedisArgument } from './redis-client.ts';
import { fieldsOf, listOf, numberOf, textOf } from './reply-shapes.ts';

/** One of: options, a preset, causal reads on or off, or the keyspace's settings again. */
export type SessionChange =
  | ConsistencyOptions
  | { readonly preset: 'quorum' | 'fast-read' | 'fast-write' | 'eventual' | 'one-of-n' }
  | { readonly causal: boolean }
  | 'reset';

export type SessionSettings = {
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly pr: number;
  readonly pw: number;
  readonly dw: number;
  readonly mode: string;
  readonly durability: string;
  readonly timeoutMs: number;
  readonly causal: boolean;
  /** The settings that this session has changed. */
  readonly set: string[];
};

const withConsistency = {
  IS_READ_ONLY: false,
  /** The key stands right behind the command's name, as in nearly every command of Redis. The reply is the command's own. */
  parseCommand(
    parser: CommandParser,
    options: RequestOptions,
    command: string,
    key: RedisArgument,
    ...args: readonly RedisArgument[]
  ) {
    parser.push('KVD.WITH', ...consistencyWords(options), command);
    parser.pushKey(key);
    parser.push(...args);
  },
  transformReply: (reply: unknown): unknown => reply,
} as const;

function sessionWords(change: SessionChange): readonly string[] {
  if (change === 'reset') return ['RESET'];
  if ('preset' in change) return ['PRESET', change.preset];
  if ('causal' in change) return ['CAUSAL', change.causal ? 'ON' : 'OFF'];
  return consistencyWords(change);
}

const setSession = {
  IS_READ_ONLY: false,
  parseCommand(parser: CommandParser, change: SessionChange) {
    parser.push('KVD.SESSION', ...sessionWords(change));
  },
  transformReply: (reply: unknown): string => textOf(reply),
} as const;

const session = {
  IS_READ_ONLY: true,
  parseCommand(parser: CommandParser) {
    parser.push('KVD.SESSION');
  },
  transformReply(reply: unknown): SessionSettings {
    const fields = fieldsOf(reply);
    return {
      n: numberOf(fields['n']),
      r: numberOf(fields['r']),
      w: numberOf(fields['w']),
      pr: numberOf(fields['pr']),
      pw: numberOf(fields['pw']),
      dw: numberOf(fields['dw']),
      mode: textOf(fields['mode']),
      durability: textOf(fields['durability']),
      timeoutMs: numberOf(fields['timeout']),
      causal: textOf(fields['causal']) === 'on',
      set: listOf(fields['set']).map(textOf),
    };
  },
} as const;

export const consistencyCommands = { with: withConsistency, session, setSession } as const satisfies ModuleCommands;
