// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the shells' own placeholders are meant.
/** Completion scripts, from the program's own tree of commands and flags: what can be typed cannot get out of step. Pure. */
import type { Command } from '../command-line.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Flag {
  readonly short: string | undefined;
  readonly long: string;
  readonly description: string;
  readonly takesValue: boolean;
}

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** The words that its first argument may be, if they are known. */
  readonly choices: readonly string[];
}

export function completionScript(program: Command, shell: Shell): string {
  const name = program.name();
  const entries = program.commands.map(entryOf);
  const common = flagsOf(program);
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
  return scripts[shell](name, entries, common);
}

function entryOf(command: Command): Entry {
  return {
    name: command.name(),
    description: command.description(),
    flags: flagsOf(command),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
}

function flagsOf(command: Command): readonly Flag[] {
  const flags = command.options.map((option) => ({
    short: option.short ?? undefined,
    long: option.long ?? '',
    description: option.description,
    takesValue: option.required || option.optional,
  }));
  const help = { short: undefined, long: '--help', description: 'print what can be asked for', takesValue: false };
  return [...flags.filter(({ long }) => long !== ''), help];
}

function words(flags: readonly Flag[]): string {
  return flags.map(({ long }) => long).join(' ');
}

/** The command is the first word that is no flag and no flag's value. */
function bashScript(name: string, entries: readonly Entry[], common: readonly Flag[]): string {
  const valued = common.filter(({ takesValue }) => takesValue).flatMap(({ short, long }) => [short, long]);
  const cases = entries.map(
    (entry) => `    ${entry.name}) words="${[words(entry.flags), ...entry.choices].join(' ')}" ;;`,
  );
  return [
    `_${name}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" command="" words="" i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "${COMP_WORDS[i]}" in',
    `      ${valued.filter((flag) => flag !== undefined).join('|')}) ((i++)) ;;`,
    '      -*) ;;',
    '      *) command="${COMP_WORDS[i]}"; break ;;',
    '    esac',
    '  done',
    '  case "$command" in',
    `    "") words="${entries.map((entry) => entry.name).join(' ')} ${words(common)}" ;;`,
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    `complete -F _${name} ${name}`,
  ].join('\n');
}

function zshScript(name: string, entries: readonly Entry[], common: readonly Flag[]): string {
  const flagSpec = ({ long, description, takesValue }: Flag) =>
    `'${long}[${zshText(description)}]${takesValue ? ':value:' : ''}'`;
  const cases = entries.map(({ name: command, flags, choices }) => {
    const argument = choices.length === 0 ? '' : ` '1:choice:(${choices.join(' ')})'`;
    return `        ${command}) _arguments ${flags.map(flagSpec).join(' ')}${argument} ;;`;
  });
  return [
    `#compdef ${name}`,
    `_${name}() {`,
    '  local state line',
    '  local -a commands',
    `  commands=(${entries.map((entry) => `'${entry.name}:${zshText(entry.description)}'`).join(' ')})`,
    `  _arguments -C ${common.map(flagSpec).join(' ')} '1:command:->command' '*::argument:->argument'`,
    '  case $state in',
    `    command) _describe command commands ;;`,
    '    argument)',
    '      case $line[1] in',
    ...cases,
    '      esac ;;',
    '  esac',
    '}',
    `if [ "$funcstack[1]" = "_${name}" ]; then _${name} "$@"; else compdef _${name} ${name}; fi`,
  ].join('\n');
}

/** Within single quotes, brackets and colons that zsh gives a meaning to. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, '\\$&');
}

function fishScript(name: string, entries: readonly Entry[], common: readonly Flag[]): string {
  const flagLine = (condition: string, { short, long, description, takesValue }: Flag) =>
    [
      `complete -c ${name} -f${condition}`,
      short === undefined ? '' : ` -s ${short.slice(1)}`,
      ` -l ${long.slice(2)}${takesValue ? ' -r' : ''} -d '${fishText(description)}'`,
    ].join('');
  const ofCommand = ({ name: command, description, flags, choices }: Entry) => {
    const inside = ` -n '__fish_seen_subcommand_from ${command}'`;
    const own = flags.filter(({ long }) => !common.some((flag) => flag.long === long));
    return [
      `complete -c ${name} -f -n __fish_use_subcommand -a ${command} -d '${fishText(description)}'`,
      ...own.map((flag) => flagLine(inside, flag)),
      ...(choices.length === 0 ? [] : [`complete -c ${name} -f${inside} -a '${choices.join(' ')}'`]),
    ];
  };
  return [...common.map((flag) => flagLine('', flag)), ...entries.flatMap(ofCommand)].join('\n');
}

function fishText(text: string): string {
  return text.replace(/['\\]/g, '\\$&');
}
