import { EXIT_CODES } from './exit-codes.ts';

/** Stable names of what can go wrong on the command line; docs/errors.md has a heading for each. */
export type CliErrorCode =
  | 'CLI_BAD_CONFIG'
  | 'CLI_PORT_IN_USE'
  | 'CLI_CANNOT_START'
  | 'CLI_CANNOT_CONNECT'
  | 'CLI_COMMAND_FAILED'
  | 'CLI_BAD_REPLY'
  | 'CLI_NOT_AVAILABLE';

/** An error for the person at the terminal: the message is one whole line, the exit code goes to the shell. */
export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly exitCode: number;

  constructor(code: CliErrorCode, message: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
    this.exitCode = options.exitCode ?? DEFAULT_EXIT_CODES[code];
  }
}

const DEFAULT_EXIT_CODES: Readonly<Record<CliErrorCode, number>> = {
  CLI_BAD_CONFIG: EXIT_CODES.usage,
  CLI_PORT_IN_USE: EXIT_CODES.portInUse,
  CLI_CANNOT_START: EXIT_CODES.failed,
  CLI_CANNOT_CONNECT: EXIT_CODES.cannotConnect,
  CLI_COMMAND_FAILED: EXIT_CODES.failed,
  CLI_BAD_REPLY: EXIT_CODES.failed,
  CLI_NOT_AVAILABLE: EXIT_CODES.failed,
};
