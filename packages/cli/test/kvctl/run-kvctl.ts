import { runProgram } from '../../src/command-line.ts';
import { createKvctlProgram } from '../../src/kvctl/program.ts';
import { FakeTerminal } from '../fake-terminal.ts';
import { startRespServer } from './resp-server.ts';

/** Runs one command of kvctl against a server that answers as told; the server is gone when it resolves. */
export async function runKvctl(answers: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const server = await startRespServer(answers);
  const terminal = new FakeTerminal();
  const program = createKvctlProgram(terminal, { KVCTL_PORT: String(server.port) });
  const exitCode = await runProgram(program, args, terminal);
  await server.stop();
  return { exitCode, output: terminal.output, errors: terminal.errors, asked: server.asked.slice(1) };
}

/** The exit code and what was printed, of a command that asks no node. */
export async function runAlone(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const terminal = new FakeTerminal();
  const exitCode = await runProgram(createKvctlProgram(terminal, environment), args, terminal);
  return { exitCode, output: terminal.output, errors: terminal.errors };
}
