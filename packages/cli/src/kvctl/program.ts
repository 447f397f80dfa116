/** `kvctl`: talks to a node over the Redis protocol. Every command with its flags and examples; what it does is in commands/. */
import { type Command, createProgram, Option, typedFlags } from '../command-line.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../version.ts';
import { addBench } from './commands/bench.ts';
import { addCompletion } from './commands/completion.ts';
import { runDel } from './commands/del.ts';
import { runExplain } from './commands/explain.ts';
import { runGet } from './commands/get.ts';
import { runHints } from './commands/hints.ts';
import { refuseKeyspace } from './commands/keyspace.ts';
import { runLocate } from './commands/locate.ts';
import { runMembers } from './commands/members.ts';
import { runPut } from './commands/put.ts';
import { runRing } from './commands/ring.ts';
import { addScan } from './commands/scan.ts';
import { runStatus } from './commands/status.ts';
import { addCommonFlags, type CommandContext, type Environment, withConnection } from './context.ts';

/** What a command's file is given to add itself. */
export interface KvctlBuilder {
  readonly program: Command;
  readonly terminal: Terminal;
  readonly environment: Environment;
  /** A command with the common flags; examples are shown below its help. */
  add(usage: string, summary: string, examples: readonly string[]): Command;
  /** Connects, and runs the body with the flags that were typed. */
  run(
    command: Command,
    body: (context: CommandContext, flags: Readonly<Record<string, unknown>>) => Promise<number>,
  ): Promise<void>;
}

const DESCRIPTION = 'Talks to a kvd cluster through one of its nodes.';
const EXIT_HELP = `
Exit codes: 0 done, 1 the cluster answered with an error or is not well, 2 wrong usage, 3 no such key, 4 no node answers.
"kvctl <command> --help" shows the flags and examples of one command.`;

export function createKvctlProgram(terminal: Terminal, environment: Environment = {}): Command {
  const program = createProgram({ name: 'kvctl', description: DESCRIPTION, version: packageVersion() }, terminal);
  addCommonFlags(program).addHelpText('after', EXIT_HELP);
  const builder: KvctlBuilder = {
    program,
    terminal,
    environment,
    add: (usage, summary, examples) =>
      addCommonFlags(program.command(usage).description(summary))
        .helpOption('--help', 'print what can be asked for')
        .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`),
    run: (command, body) =>
      withConnection(command, { terminal, environment }, (context) => body(context, typedFlags(command))),
  };
  addKeyCommands(builder);
  addScan(builder);
  addClusterCommands(builder);
  addBench(builder);
  addCompletion(builder);
  return program;
}

function addKeyCommands({ add, run }: KvctlBuilder): void {
  const get = add('get <key>', 'print the value of a key', [
    'kvctl get greeting',
    'kvctl get greeting --siblings      # every value that no other has replaced, and the context',
    'kvctl -p 7380 get greeting --local # what this one node holds',
  ])
    .addOption(new Option('--local', "read this node's own copy, ask no other"))
    .addOption(new Option('--siblings', 'all values of the key, and the context that stands for them'));
  get.action((key: string) => run(get, (context, flags) => runGet(context, key, flags)));

  const put = add('put <key> <value>', 'write a value', [
    'kvctl put greeting hello',
    'kvctl put session:1 abc --expire 30m',
    'kvctl put cart apples --concurrent      # a second value beside what is there',
    'kvctl put cart both --context "$TOKEN"  # TOKEN as "kvctl get cart --siblings" printed it',
  ])
    .addOption(new Option('--context <token>', 'replace exactly what the reader of this token has seen'))
    .addOption(new Option('--concurrent', 'replace nothing: make a sibling on purpose').conflicts('context'))
    .addOption(new Option('--expire <duration>', 'lifetime: 500ms, 10s, 30m'));
  put.action((key: string, value: string) => run(put, (context, flags) => runPut(context, { key, value }, flags)));

  const del = add('del <key>', 'delete a key', ['kvctl del greeting', 'kvctl del cart --context "$TOKEN"']).addOption(
    new Option('--context <token>', 'delete exactly what the reader of this token has seen'),
  );
  del.action((key: string) => run(del, (context, flags) => runDel(context, key, flags)));

  const locate = add('locate <key>', 'say which nodes keep a key', [
    'kvctl locate greeting',
    'kvctl locate greeting --json',
  ]);
  locate.action((key: string) => run(locate, (context) => runLocate(context, key)));

  const explain = add('explain <command> [key] [args...]', 'run a command and say what was done for it', [
    'kvctl explain GET greeting',
    'kvctl explain SET greeting hello',
    'kvctl explain --json GET greeting',
    'kvctl explain -- INCRBY visits -1',
  ]);
  explain.action((command: string, key: string | undefined, args: readonly string[]) =>
    run(explain, (context) => runExplain(context, command, key, args)),
  );
}

function addClusterCommands({ add, run }: KvctlBuilder): void {
  const status = add('status', 'say how the cluster is, what is wrong and what to do', [
    'kvctl status',
    'kvctl status --json',
    'kvctl status > /dev/null || echo "not well"',
  ]);
  status.action(() => run(status, runStatus));
  const members = add('members', 'list the members as this node sees them', ['kvctl members', 'kvctl members --json']);
  members.action(() => run(members, runMembers));
  const ring = add('ring', "show each member's share of the slots", ['kvctl ring', 'kvctl ring --runs']).addOption(
    new Option('--runs', 'print every run of slots with its owners too'),
  );
  ring.action(() => run(ring, (context, flags) => runRing(context, flags['runs'] === true)));
  const hints = add('hints', 'what this node keeps for members that were absent', [
    'kvctl hints',
    'kvctl hints --json',
  ]);
  hints.action(() => run(hints, runHints));
  const keyspace = add('keyspace [words...]', 'keyspaces with settings of their own (not there yet)', [
    'kvctl keyspace list',
  ]);
  keyspace.action(refuseKeyspace);
}
