import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProgram, Option } from '../../src/command-line.ts';
import { completionScript } from '../../src/kvctl/completion.ts';
import { createKvctlProgram } from '../../src/kvctl/program.ts';
import { FakeTerminal } from '../fake-terminal.ts';
import { runAlone } from './run-kvctl.ts';

const kvctl = createKvctlProgram(new FakeTerminal());

/** What bash offers for the words of a line, of which the last is being typed. */
function offered(...words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const call = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _kvctl; echo "\${COMPREPLY[*]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${completionScript(kvctl, 'bash')}\n${call}`], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.trim().split(' ');
}

test('bash completes commands, flags of a command, and words that an argument may be', () => {
  expect(offered('kvctl', 'e')).toEqual(['explain']);
  expect(offered('kvctl', '-p', '7380', 'get', '--s')).toEqual(['--siblings']);
  expect(offered('kvctl', 'bench', 'mi')).toEqual(['mixed']);
  expect(offered('kvctl', '--pa')).toEqual(['--password']);
});

test('every command and flag is in the script of every shell', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(kvctl, shell);
    for (const command of kvctl.commands) {
      expect(script).toContain(command.name());
      for (const { long } of command.options) expect(script).toContain(shell === 'fish' ? long?.slice(2) : long);
    }
  }
});

test('descriptions cannot end the quotes that they stand in', () => {
  const program = createProgram({ name: 'p', description: '', version: '1' }, new FakeTerminal());
  program.command('c').description("it's [a]: b").addOption(new Option('--flag <x>', "one's own"));
  expect(completionScript(program, 'zsh')).toContain("'c:it'\\''s \\[a\\]\\: b'");
  expect(completionScript(program, 'fish')).toContain("-d 'it\\'s [a]: b'");
});

test('completion prints a script, and refuses a shell that it does not know', async () => {
  const { exitCode, output } = await runAlone({}, 'completion', 'bash');
  expect([exitCode, output[0]]).toEqual([0, expect.stringContaining('complete -F _kvctl kvctl')]);
  expect((await runAlone({}, 'completion', 'tcsh')).exitCode).toBe(2);
});
