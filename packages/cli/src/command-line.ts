/**
 * Commander, wrapped: the only file that imports it. Every program of ours parses alike: an unknown flag or command is an
 * error with a suggestion and exit code 2, help says the default of each flag, and no parser calls process.exit.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { CliError } from './errors.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export { Argument, type Command, Option };

export interface ProgramDescription {
  readonly name: string;
  readonly description: string;
  readonly version: string;
}

export function createProgram({ name, description, version }: ProgramDescription, terminal: Terminal): Command {
  return new Command(name)
    .description(description)
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print what can be asked for')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(`${name}: ${text.replace(/^error: /, '')}`),
    });
}

/** The flags that were typed, by camelCase name; defaults are left out. */
export function typedFlags(command: Command): Readonly<Record<string, unknown>> {
  const entries = Object.entries(command.optsWithGlobals());
  return Object.fromEntries(entries.filter(([name]) => command.getOptionValueSourceWithGlobals(name) === 'cli'));
}

/** Parses and runs. Answers the exit code; every failure has been told on the terminal by then. */
export async function runProgram(program: Command, args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await program.parseAsync([...args], { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    // Commander has printed its own message; help and version arrive here too, with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    if (!(error instanceof CliError)) throw error;
    terminal.err(`${program.name()}: ${error.message}`);
    return error.exitCode;
  }
}
