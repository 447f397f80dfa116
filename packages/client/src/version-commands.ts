/** KVD.GET KVD.PUT KVD.DEL KVD.SIBLINGS: every value of a key, and writes that replace what their writer has seen. */
import { consistencyWords, type RequestOptions } from './consistency.ts';
import type { BlobStringReply, CommandParser, ModuleCommands, RedisArgument } from './redis-client.ts';
import { fieldsOf, listOf, numberOf, numberOrNull, textOf, textOrNull } from './reply-shapes.ts';

/** All values of a key that none of the others replaced; none when the key is absent. */
export type Versions = {
  /** What was seen: give it to the write that replaces these values. Opaque. */
  readonly context: string;
  readonly values: BlobStringReply[];
};

export type PutOptions = RequestOptions & {
  /** From a read: the write replaces what that read has seen. Without one it replaces nothing and makes a sibling. */
  readonly context?: string;
  /** Lifetime in seconds. */
  readonly ex?: number;
  /** Lifetime in milliseconds. */
  readonly px?: number;
};

export type DelOptions = RequestOptions & {
  /** From a read: what that read has seen is deleted. Without one, what DEL would delete. */
  readonly context?: string;
};

export type Sibling = {
  /** The identity of the write that made the value. */
  readonly dot: string;
  /** The node that coordinated it; null when it is no longer a member. */
  readonly node: string | null;
  readonly timeMs: number;
  readonly bytes: number;
  readonly deleted: boolean;
  /** Milliseconds since 1970; null: never. */
  readonly expiresMs: number | null;
};

export type SiblingList = { readonly context: string; readonly vector: string; readonly siblings: Sibling[] };

/** Puts `KVD.WITH …` before a command when options ask for it. */
export function pushWith(parser: CommandParser, options: RequestOptions | undefined): void {
  const words = options === undefined ? [] : consistencyWords(options);
  if (words.length > 0) parser.push('KVD.WITH', ...words);
}

function pushContext(parser: CommandParser, context: string | undefined): void {
  if (context !== undefined) parser.push('CONTEXT', context);
}

const get = {
  IS_READ_ONLY: true,
  parseCommand(parser: CommandParser, key: RedisArgument, options?: RequestOptions) {
    pushWith(parser, options);
    parser.push('KVD.GET');
    parser.pushKey(key);
  },
  transformReply(reply: [unknown, BlobStringReply[]]): Versions {
    return { context: textOf(reply[0]), values: reply[1] };
  },
} as const;

const put = {
  IS_READ_ONLY: false,
  parseCommand(parser: CommandParser, key: RedisArgument, value: RedisArgument, options: PutOptions = {}) {
    pushWith(parser, options);
    parser.push('KVD.PUT');
    parser.pushKey(key);
    parser.push(value);
    pushContext(parser, options.context);
    if (options.ex !== undefined) parser.push('EX', String(options.ex));
    if (options.px !== undefined) parser.push('PX', String(options.px));
  },
  /** The context that stands for what the writer has seen: what it gave, and its own write. */
  transformReply: (reply: unknown): string => textOf(reply),
} as const;

const del = {
  IS_READ_ONLY: false,
  parseCommand(parser: CommandParser, key: RedisArgument, options: DelOptions = {}) {
    pushWith(parser, options);
    parser.push('KVD.DEL');
    parser.pushKey(key);
    pushContext(parser, options.context);
  },
  transformReply: (reply: unknown): string => textOf(reply),
} as const;

const siblings = {
  IS_READ_ONLY: true,
  parseCommand(parser: CommandParser, key: RedisArgument, options?: RequestOptions) {
    pushWith(parser, options);
    parser.push('KVD.SIBLINGS');
    parser.pushKey(key);
  },
  transformReply(reply: unknown): SiblingList {
    const fields = fieldsOf(reply);
    return {
      context: textOf(fields['context']),
      vector: textOf(fields['vector']),
      siblings: listOf(fields['siblings']).map(siblingOf),
    };
  },
} as const;

function siblingOf(reply: unknown): Sibling {
  const fields = fieldsOf(reply);
  return {
    dot: textOf(fields['dot']),
    node: textOrNull(fields['node']),
    timeMs: numberOf(fields['time-ms']),
    bytes: numberOf(fields['bytes']),
    deleted: numberOf(fields['deleted']) === 1,
    expiresMs: numberOrNull(fields['expires-ms']),
  };
}

export const versionCommands = { get, put, del, siblings } as const satisfies ModuleCommands;
