// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shells' own placeholders are meant.
import { Argument } from '../../command-line.ts';
import { completionScript, SHELLS, type Shell } from '../completion.ts';
import type { KvctlBuilder } from '../program.ts';

/** `kvctl completion SHELL`: prints a script made from the program itself. */
export function addCompletion({ program, terminal }: KvctlBuilder): void {
  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .helpOption('--help', 'print what can be asked for')
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  source <(kvctl completion bash)',
        '  kvctl completion zsh > "${fpath[1]}/_kvctl"',
        '  kvctl completion fish > ~/.config/fish/completions/kvctl.fish',
      ].join('\n'),
    )
    .action((shell: Shell) => terminal.out(completionScript(program, shell)));
}
