/** KVD.EXPLAIN: what was done for a command, and by whom. Field for field as docs/commands.md has it, in camelCase. */
import type { CommandParser, ModuleCommands, RedisArgument } from './redis-client.ts';
import { type Fields, fieldsOf, listOf, numberOf, numberOrNull, textOf, textOrNull } from './reply-shapes.ts';

export type Explanation = {
  /** What the command answered; null when it failed. */
  readonly reply: unknown;
  readonly error: string | null;
  /** Microseconds from the command's arrival to its answer. */
  readonly us: number;
  /** The reads and writes that it was made of, one for each key or two. */
  readonly requests: ExplainedRequest[];
};

export type ExplainedRequest = {
  readonly kind: string;
  readonly key: string;
  readonly slot: number;
  /** The node that was asked. */
  readonly entry: string;
  readonly coordinator: string | null;
  readonly row: string[];
  readonly fallbacks: string[];
  readonly mode: string;
  readonly n: number;
  readonly r: number;
  readonly w: number;
  readonly us: number;
  readonly outcome: string;
  /** Answers needed, and those that came; null when the request did not get that far. */
  readonly need: number | null;
  readonly met: number | null;
  readonly why: string | null;
  readonly replicas: ExplainedReplica[];
  readonly steps: ExplainedStep[];
};

export type ExplainedReplica = {
  readonly node: string;
  readonly role: string;
  readonly state: string;
  readonly context: string | null;
  readonly values: number;
  readonly us: number | null;
  readonly note: string;
};

export type ExplainedStep = {
  readonly us: number;
  readonly by: string;
  readonly step: string;
  readonly node: string;
  readonly context: string | null;
  readonly values: number;
  readonly note: string;
};

const explain = {
  IS_READ_ONLY: false,
  /** The key, if the command has one, stands right behind its name. */
  parseCommand(parser: CommandParser, command: string, key?: RedisArgument, ...args: readonly RedisArgument[]) {
    parser.push('KVD.EXPLAIN', command);
    if (key !== undefined) parser.pushKey(key);
    parser.push(...args);
  },
  transformReply(reply: unknown): Explanation {
    const fields = fieldsOf(reply);
    return {
      reply: fields['reply'] ?? null,
      error: textOrNull(fields['error']),
      us: numberOf(fields['us']),
      requests: listOf(fields['requests']).map(requestOf),
    };
  },
} as const;

function requestOf(reply: unknown): ExplainedRequest {
  const fields = fieldsOf(reply);
  return {
    ...placeOf(fields),
    mode: textOf(fields['mode']),
    n: numberOf(fields['n']),
    r: numberOf(fields['r']),
    w: numberOf(fields['w']),
    us: numberOf(fields['us']),
    outcome: textOf(fields['outcome']),
    need: numberOrNull(fields['need']),
    met: numberOrNull(fields['met']),
    why: textOrNull(fields['why']),
    replicas: listOf(fields['replicas']).map(replicaOf),
    steps: listOf(fields['steps']).map(stepOf),
  };
}

function placeOf(fields: Fields) {
  return {
    kind: textOf(fields['kind']),
    key: textOf(fields['key']),
    slot: numberOf(fields['slot']),
    entry: textOf(fields['entry']),
    coordinator: textOrNull(fields['coordinator']),
    row: listOf(fields['row']).map(textOf),
    fallbacks: listOf(fields['fallbacks']).map(textOf),
  };
}

function replicaOf(reply: unknown): ExplainedReplica {
  const fields = fieldsOf(reply);
  return {
    node: textOf(fields['node']),
    role: textOf(fields['role']),
    state: textOf(fields['state']),
    context: textOrNull(fields['context']),
    values: numberOf(fields['values']),
    us: numberOrNull(fields['us']),
    note: textOf(fields['note']),
  };
}

function stepOf(reply: unknown): ExplainedStep {
  const fields = fieldsOf(reply);
  return {
    us: numberOf(fields['us']),
    by: textOf(fields['by']),
    step: textOf(fields['step']),
    node: textOf(fields['node']),
    context: textOrNull(fields['context']),
    values: numberOf(fields['values']),
    note: textOf(fields['note']),
  };
}

export const explainCommands = { explain } as const satisfies ModuleCommands;
