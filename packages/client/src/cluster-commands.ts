/** KVD.MEMBERS KVD.LOCATE KVD.STATS: who is there, and where a key lives. The node answers JSON. */
import type { CommandParser, ModuleCommands, RedisArgument } from './redis-client.ts';
import { textOf } from './reply-shapes.ts';

/** One member as the asked node sees it. */
export type Member = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly incarnation: number;
  readonly state: string;
  readonly suspectedBy: string[];
  /** `OK`, or what the node says is wrong with it. */
  readonly health: string;
  /** By the asked node's own connections, now. */
  readonly reachable: boolean;
  readonly self: boolean;
};

export type Location = {
  readonly key: string;
  readonly slot: number;
  readonly primary: string;
  readonly row: string[];
  readonly fallbacks: string[];
  readonly firstReachable: string | null;
};

export type NodeStats = {
  readonly uptimeMs: number;
  readonly health: string;
  readonly counters: Record<string, number>;
  readonly engine: Record<string, number>;
  readonly hintsPending: Record<string, number>;
};

const members = {
  IS_READ_ONLY: true,
  parseCommand(parser: CommandParser) {
    parser.push('KVD.MEMBERS');
  },
  transformReply: (reply: unknown) => JSON.parse(textOf(reply)) as Member[],
} as const;

const locate = {
  IS_READ_ONLY: true,
  parseCommand(parser: CommandParser, key: RedisArgument) {
    parser.push('KVD.LOCATE');
    parser.pushKey(key);
  },
  transformReply: (reply: unknown) => JSON.parse(textOf(reply)) as Location,
} as const;

const stats = {
  IS_READ_ONLY: true,
  parseCommand(parser: CommandParser) {
    parser.push('KVD.STATS');
  },
  transformReply: (reply: unknown) => JSON.parse(textOf(reply)) as NodeStats,
} as const;

export const clusterCommands = { members, locate, stats } as const satisfies ModuleCommands;
