/** All commands, by name. Built when first asked for, since commands that tell of the table are rows of it. */
import { CHANGE_ROWS } from './changes.ts';
import { CLUSTER_ROWS } from './cluster.ts';
import type { CommandRow } from './command-row.ts';
import { CONNECTION_ROWS } from './connection.ts';
import { CLIENT_ROWS } from './client.ts';
import { CONFIG_ROWS } from './config.ts';
import { EXPIRY_ROWS } from './expiry.ts';
import { INFO_ROWS } from './info.ts';
import { INTROSPECTION_ROWS } from './introspection.ts';
import { KEY_ROWS } from './keys.ts';
import { KVD_ROWS } from './kvd.ts';
import { SET_ROWS } from './set-rows.ts';
import { EXPLAIN_ROWS } from './explain.ts';
import { SESSION_ROWS } from './session.ts';
import { VERSION_ROWS } from './version-rows.ts';
import { STRING_ROWS } from './strings.ts';
import { SCAN_ROWS } from './scan.ts';
import { SERVER_ROWS } from './server.ts';
import { SLOW_LOG_ROWS } from './slow-log.ts';
import { WAIT_ROWS } from './wait.ts';
import { TIME_ROWS } from './time.ts';

/** What a lookup answers: a row that can be run, with its full name (`client|info`). */
export interface FoundRow {
  readonly row: CommandRow;
  readonly name: string;
  readonly refusal: undefined;
}

export class CommandTable {
  readonly rows: readonly CommandRow[];
  readonly #found = new Map<string, FoundRow>();
  readonly #subcommands = new Map<string, FoundRow>();

  constructor(rows: readonly CommandRow[]) {
    this.rows = [...rows].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const row of this.rows) {
      if (this.#found.has(row.name)) throw new Error(`two commands are called ${row.name}`);
      this.#found.set(row.name, { row, name: row.name, refusal: undefined });
      for (const sub of row.subcommands ?? []) {
        const name = `${row.name}|${sub.name}`;
        this.#subcommands.set(name, { row: sub, name, refusal: undefined });
      }
    }
  }

  get size(): number {
    return this.rows.length;
  }

  /** `name` in small letters, without a subcommand. */
  find(name: string): FoundRow | undefined {
    return this.#found.get(name);
  }

  findSubcommand(command: string, name: string): FoundRow | undefined {
    return this.#subcommands.get(`${command}|${name}`);
  }
}

let table: CommandTable | undefined;

export function commandTable(): CommandTable {
  table ??= new CommandTable([
    ...CONNECTION_ROWS,
    ...CLIENT_ROWS,
    ...INTROSPECTION_ROWS,
    ...INFO_ROWS,
    ...CONFIG_ROWS,
    ...TIME_ROWS,
    ...STRING_ROWS,
    ...SET_ROWS,
    ...CHANGE_ROWS,
    ...KEY_ROWS,
    ...SCAN_ROWS,
    ...WAIT_ROWS,
    ...SLOW_LOG_ROWS,
    ...SERVER_ROWS,
    ...EXPIRY_ROWS,
    ...CLUSTER_ROWS,
    ...KVD_ROWS,
    ...VERSION_ROWS,
    ...SESSION_ROWS,
    ...EXPLAIN_ROWS,
  ]);
  return table;
}

/** Longer than any command's name: what is longer need not be turned into text to be looked up. */
const NAME_BYTES_MAX = 32;

/** A word as a name to look up: small letters of ASCII, byte for byte. */
export function nameOf(word: Buffer): string {
  return word.length > NAME_BYTES_MAX ? '' : word.toString('latin1').toLowerCase();
}
