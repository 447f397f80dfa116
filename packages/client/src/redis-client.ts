/** The types of node-redis that this package is written against. Nothing of it is imported when the code runs. */
import type { RedisModules } from '@redis/client';

export type { CommandParser, RedisArgument } from '@redis/client';
/** A value as the client's type mapping has it: a string, or a Buffer where the caller asks for bytes. */
export type { BlobStringReply } from '@redis/client/dist/lib/RESP/types.js';

/** The commands of one module: what follows `client.kvd.`. */
export type ModuleCommands = RedisModules[string];
