/** For programs that start `kvd` or read what `kvctl` answers with; the commands themselves are `kvd` and `kvctl`. */
export { CliError, type CliErrorCode } from './errors.ts';
export { EXIT_CODES } from './exit-codes.ts';
export { createKvctlProgram } from './kvctl/program.ts';
export { createKvdProgram } from './kvd/program.ts';
export type { Terminal } from './terminal.ts';
