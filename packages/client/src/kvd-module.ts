/**
 * The module for node-redis: `createClient({ modules: { kvd: kvdModule } })`, then `client.kvd.get(key)`. Keys are pushed as
 * keys, so that a cluster client goes to the node that owns them and a key prefix is put before them.
 */
import { clusterCommands } from './cluster-commands.ts';
import { consistencyCommands } from './consistency-commands.ts';
import { explainCommands } from './explain-command.ts';
import type { ModuleCommands } from './redis-client.ts';
import { versionCommands } from './version-commands.ts';

export const kvdModule = {
  ...versionCommands,
  ...consistencyCommands,
  ...explainCommands,
  ...clusterCommands,
} as const satisfies ModuleCommands;
