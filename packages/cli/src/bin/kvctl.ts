import { runProgram } from '../command-line.ts';
import { createKvctlProgram } from '../kvctl/program.ts';
import { ignoreBrokenPipes, processTerminal } from '../terminal.ts';

ignoreBrokenPipes();
process.exitCode = await runProgram(
  createKvctlProgram(processTerminal, process.env),
  process.argv.slice(2),
  processTerminal,
);
