import { readFileSync } from 'node:fs';
import type { ConfigFile } from './config.ts';
import { CliError } from './errors.ts';

/** Reads and parses a JSON config file. Throws CliError CLI_BAD_CONFIG that names the file. */
export function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError('CLI_BAD_CONFIG', `cannot read the config file ${path}: ${reason(error)}`, { cause: error });
  }
  try {
    return { path, content: JSON.parse(text) };
  } catch (error) {
    throw new CliError('CLI_BAD_CONFIG', `${path} is not valid JSON: ${reason(error)}`, { cause: error });
  }
}

/** The text of a file that holds a secret, without the line end that editors put behind it. */
export function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new CliError('CLI_BAD_CONFIG', `cannot read the secret file ${path}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
