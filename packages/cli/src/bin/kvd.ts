import { runProgram } from '../command-line.ts';
import { createKvdProgram } from '../kvd/program.ts';
import { ignoreBrokenPipes, processTerminal } from '../terminal.ts';

ignoreBrokenPipes();
// A node that has stopped leaves nothing behind that could keep the process; a supervisor must not wait for a stray handle.
process.exit(await runProgram(createKvdProgram(processTerminal, process.env), process.argv.slice(2), processTerminal));
