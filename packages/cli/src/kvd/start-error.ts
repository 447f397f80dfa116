import { CliError } from '../errors.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { NodeSettings } from '../settings.ts';

/** Codes of the node and the engine that say "this directory is not for you now". */
const DATA_DIRECTORY_CODES: readonly unknown[] = ['NODE_WRONG_DIRECTORY', 'LSM_LOCKED', 'LSM_INCOMPATIBLE_FORMAT'];

/** Turns the reason why a node did not start into one line that names the setting to change, and an exit code. */
export function describeStartError(error: unknown, settings: NodeSettings): CliError {
  const message = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const cause = { cause: error };
  if (code === 'NODE_BAD_CONFIG') return new CliError('CLI_BAD_CONFIG', `${message}`, cause);
  if (code === 'RING_MEMBERS') return new CliError('CLI_BAD_CONFIG', `--initial-members: ${message}`, cause);
  if (code === 'NODE_PORT_IN_USE' || code === 'EADDRINUSE') {
    const hint = message?.includes('--') ? '' : `; --port and --peer-port choose others than ${portsOf(settings)}`;
    return new CliError('CLI_PORT_IN_USE', `${message}${hint}`, cause);
  }
  const about = `${settings.id} cannot start on data directory ${settings.data}: ${message}`;
  if (!DATA_DIRECTORY_CODES.includes(code)) return new CliError('CLI_CANNOT_START', `${about}${codeText(code)}`, cause);
  return new CliError('CLI_CANNOT_START', `${about} (--data chooses another)`, {
    ...cause,
    exitCode: EXIT_CODES.dataDirectory,
  });
}

export function peerPortOf(settings: NodeSettings): number {
  return settings['peer-port'] ?? settings.port + 10_000;
}

function portsOf(settings: NodeSettings): string {
  return `${settings.port} and ${peerPortOf(settings)}`;
}

function codeText(code: unknown): string {
  return typeof code === 'string' ? ` (${code})` : '';
}
