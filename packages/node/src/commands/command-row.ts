/**
 * The shape of a row of the command table. A row says everything about a command: it serves dispatch, arity errors, the order
 * of a connection's commands by key, the replies of COMMAND, and the documentation.
 */
import type { ConsistencyOverrides, NodeServices } from '../services.ts';
import type { RespValue } from '../resp/value.ts';
import type { Session } from '../session.ts';

export type CommandGroup = 'connection' | 'server' | 'string' | 'generic' | 'cluster' | 'kvd';

export type CommandFlag =
  | 'readonly'
  | 'write'
  | 'denyoom'
  | 'admin'
  | 'noscript'
  | 'loading'
  | 'stale'
  | 'fast'
  | 'no_auth'
  | 'allow_busy'
  | 'movablekeys';

/** The flags of a key specification: what the command does with the key. */
export type KeyFlag = 'RO' | 'RW' | 'OW' | 'RM' | 'access' | 'update' | 'insert' | 'delete' | 'variable_flags';

export type ArgumentType =
  | 'key'
  | 'string'
  | 'integer'
  | 'double'
  | 'unix-time'
  | 'pattern'
  | 'pure-token'
  | 'block'
  | 'oneof';

export interface ArgumentDoc {
  readonly name: string;
  readonly type: ArgumentType;
  readonly token?: string;
  readonly optional?: boolean;
  readonly multiple?: boolean;
  readonly since?: string;
  readonly arguments?: readonly ArgumentDoc[];
}

/** One command as it runs. */
export interface Call {
  readonly services: NodeServices;
  readonly session: Session;
  /** Name and arguments; valid until the reply. */
  readonly args: readonly Buffer[];
  /** By KVD.WITH; undefined: as the session says. */
  readonly overrides: ConsistencyOverrides | undefined;
  /** By KVD.WITH REQUEST, 16 bytes: the client's own name for the request; only for rows that are `repeatable`. */
  readonly requestToken?: Uint8Array | undefined;
  /** By KVD.LOCAL: this node's own store only. */
  readonly local: boolean;
  /** To be called exactly once, now or later. */
  readonly reply: (value: RespValue) => void;
}

export type Handler = (call: Call) => void;

export interface CommandRow {
  /** In small letters; a subcommand's is its own alone. */
  readonly name: string;
  /** Words with the name (and subcommand); negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** ACL categories beside those that the flags and the group imply. */
  readonly categories?: readonly string[];
  /** Place of the first key, 0 when there is none; of the last, -1 for the last word; and from one to the next. */
  readonly firstKey?: number;
  readonly lastKey?: number;
  readonly keyStep?: number;
  readonly keyFlags?: readonly KeyFlag[];
  readonly keyNotes?: string;
  /** Where the keys are, when their places depend on the words before them. */
  readonly findKeys?: (args: readonly Buffer[]) => readonly Buffer[];
  readonly tips?: readonly string[];
  readonly group: CommandGroup;
  readonly since: string;
  readonly summary: string;
  readonly complexity: string;
  /** What was added, and since which version of Redis. */
  readonly history?: readonly (readonly [since: string, change: string])[];
  readonly deprecated?: { readonly since: string; readonly replacedBy: string };
  readonly arguments?: readonly ArgumentDoc[];
  readonly subcommands?: readonly CommandRow[];
  /** Absent where only the subcommands can be run. */
  readonly handler?: Handler;
  /** May be given an id by KVD.WITH REQUEST, under which it takes effect once. */
  readonly repeatable?: boolean;
  /** May run behind KVD.LOCAL. */
  readonly local?: boolean;
  /** May not run behind KVD.WITH or KVD.LOCAL. */
  readonly outermost?: boolean;
}

/** Whether so many words are right for the row. */
export function arityFits(row: CommandRow, words: number): boolean {
  return row.arity >= 0 ? words === row.arity : words >= -row.arity;
}

const NO_KEYS: readonly Buffer[] = [];

/** The keys among the words, whose number must fit. */
export function keysOf(row: CommandRow, args: readonly Buffer[]): readonly Buffer[] {
  if (row.findKeys !== undefined) return row.findKeys(args);
  const { firstKey = 0, lastKey = 0, keyStep = 1 } = row;
  if (firstKey === 0) return NO_KEYS;
  const last = lastKey < 0 ? args.length + lastKey : lastKey;
  if (last === firstKey) return [args[firstKey] as Buffer];
  const keys: Buffer[] = [];
  for (let i = firstKey; i <= last; i += keyStep) keys.push(args[i] as Buffer);
  return keys;
}

/** True when a command of this row leaves what it reads as it is. */
export function isReadOnly(row: CommandRow): boolean {
  return row.flags.includes('readonly');
}
