import { expect, test } from 'vitest';
import { runProgram } from '../../src/command-line.ts';
import { createKvdProgram } from '../../src/kvd/program.ts';
import { FakeTerminal } from '../fake-terminal.ts';

async function run(...args: readonly string[]) {
  const terminal = new FakeTerminal();
  const exitCode = await runProgram(createKvdProgram(terminal, {}), args, terminal);
  return { exitCode, output: terminal.output.join('\n'), errors: terminal.errors.join('\n') };
}

test('an unknown flag is refused with a suggestion and exit code 2', async () => {
  const { exitCode, errors } = await run('start', '--prot', '7379');
  expect(exitCode).toBe(2);
  expect(errors).toContain("unknown option '--prot'");
  expect(errors).toContain('Did you mean --port?');
});

test('an unknown command is refused with a suggestion and exit code 2', async () => {
  const { exitCode, errors } = await run('strat');
  expect(exitCode).toBe(2);
  expect(errors).toContain('Did you mean start?');
});

test('a bad value is refused before anything is started', async () => {
  expect(await run('dev', '--nodes', 'many')).toMatchObject({
    exitCode: 2,
    errors: "kvd: nodes is 'many' (from the flag --nodes): it must be a whole number from 1 to 64",
  });
});

test('a config file that cannot be read is named', async () => {
  const { exitCode, errors } = await run('dev', '--config', '/nowhere/kvd.json');
  expect(exitCode).toBe(2);
  expect(errors).toContain('cannot read the config file /nowhere/kvd.json');
});

test('help names every setting with its default and ends well', async () => {
  const { exitCode, output } = await run('start', '--help');
  expect(exitCode).toBe(0);
  for (const part of ['--peer-port <port>', '--initial-members <members>', '(default: 7379)', '--config <file>']) {
    expect(output).toContain(part);
  }
});
