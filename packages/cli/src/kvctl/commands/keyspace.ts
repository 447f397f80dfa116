import { CliError } from '../../errors.ts';

/** `kvctl keyspace …`: an answer, before anything is asked of a node. */
export function refuseKeyspace(): never {
  const instead = 'KVD.WITH sets N, R and W of one request, and KVD.SESSION those of a connection';
  throw new CliError(
    'CLI_NOT_AVAILABLE',
    `keyspaces are not there yet: all keys share one set of settings. ${instead}`,
  );
}
