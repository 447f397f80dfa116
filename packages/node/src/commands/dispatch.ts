/**
 * From words to a handler. A command is looked up once; the row then says what else must be known of it. `execute` does both
 * for callers that have no connection.
 */
import type { CausalSession } from '../causal-session.ts';
import type { RespValue } from '../resp/value.ts';
import type { NodeServices } from '../services.ts';
import type { Session } from '../session.ts';
import { arityFits, type Call } from './command-row.ts';
import { commandTable, type FoundRow, nameOf } from './command-table.ts';
import { refusedByDesign } from './refused.ts';
import { internalError, NOT_AUTHENTICATED, unknownCommand, unknownSubcommand, wrongArity } from './reply-errors.ts';

/** What to say instead of running it. */
export interface Refusal {
  readonly row: undefined;
  /** '' when there is no such command. */
  readonly name: string;
  readonly refusal: RespValue;
}

/** A command that can be run, or what to say instead. */
export type Resolved = FoundRow | Refusal;

/** Finds the row, that of the subcommand if there is one, and checks the number of words. */
export function resolve(args: readonly Buffer[]): Resolved {
  const found = commandTable().find(nameOf(args[0] as Buffer));
  if (found === undefined) return refuse('', refusedByDesign(args) ?? unknownCommand(args));
  if (found.row.subcommands !== undefined && args.length > 1) return resolveSubcommand(found, args);
  return arityFits(found.row, args.length) ? found : refuse(found.name, wrongArity(found.name));
}

function resolveSubcommand(command: FoundRow, args: readonly Buffer[]): Resolved {
  const word = args[1] as Buffer;
  const found = commandTable().findSubcommand(command.name, nameOf(word));
  if (found === undefined) {
    return refuse(command.name, refusedByDesign(args) ?? unknownSubcommand(command.name, word));
  }
  return arityFits(found.row, args.length) ? found : refuse(found.name, wrongArity(found.name));
}

function refuse(name: string, refusal: RespValue): Refusal {
  return { row: undefined, name, refusal };
}

/**
 * Runs one command. `reply` is called exactly once, now or later; until then `args` must not change. For callers without a
 * connection: commands that are given one after the other run side by side, so that who needs an order waits for the replies.
 */
export function execute(
  services: NodeServices,
  session: Session,
  args: readonly Buffer[],
  reply: (value: RespValue) => void,
): void {
  run(resolve(args), { services, session, args, overrides: undefined, local: false, reply });
}

/** Runs what was looked up already. */
export function run(resolved: Resolved, call: Call): void {
  if (resolved.row === undefined) return call.reply(resolved.refusal);
  if (!call.session.authenticated && !resolved.row.flags.includes('no_auth')) return call.reply(NOT_AUTHENTICATED);
  try {
    // A row without a handler has subcommands, and its arity asks for one.
    resolved.row.handler?.(call.session.causal === undefined ? call : causally(call, call.session.causal));
  } catch (error) {
    if (!hasCode(error)) throw error;
    const fields = { command: resolved.name, code: error.code, error: error.message };
    call.services.runtime.log('error', 'command-failed', fields);
    call.reply(internalError(error));
  }
}

/** The wrapper is small and lives as long as the command; who asks for the guarantee pays for it. */
function causally(call: Call, causal: CausalSession): Call {
  const { services, session, args, overrides, requestToken, local, reply } = call;
  return { services: causal.over(services), session, args, overrides, requestToken, local, reply };
}

/** Errors of ours have a code of ours; everything else is a bug, and hiding it would help nobody. */
function hasCode(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
}
