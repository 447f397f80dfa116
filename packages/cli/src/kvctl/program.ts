import { type Command, createProgram } from '../command-line.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../version.ts';
import { runDel } from './commands/del.ts';
import { runGet } from './commands/get.ts';
import { runLocate } from './commands/locate.ts';
import { runMembers } from './commands/members.ts';
import { runPut } from './commands/put.ts';
import { runStatus } from './commands/status.ts';
import { addCommonFlags, type CommandContext, withConnection } from './context.ts';

/** `kvctl`: talks to a node over the Redis protocol. */
export function createKvctlProgram(terminal: Terminal): Command {
  const description = 'Talks to a kvd cluster through one of its nodes.';
  const program = addCommonFlags(createProgram({ name: 'kvctl', description, version: packageVersion() }, terminal));

  const add = (usage: string, summary: string) =>
    addCommonFlags(program.command(usage).description(summary)).helpOption('--help', 'print what can be asked for');
  const run = (command: Command, body: (context: CommandContext) => Promise<number>) =>
    withConnection(command, terminal, body);

  const get = add('get <key>', 'print the value of a key').option('--local', "read this node's own copy, ask no other");
  get.action((key: string) => run(get, (context) => runGet(context, key, get.opts()['local'] === true)));
  const put = add('put <key> <value>', 'write a value');
  put.action((key: string, value: string) => run(put, (context) => runPut(context, key, value)));
  const del = add('del <key>', 'delete a key');
  del.action((key: string) => run(del, (context) => runDel(context, key)));
  const status = add('status', 'say how the cluster is, and what is wrong with it');
  status.action(() => run(status, runStatus));
  const members = add('members', 'list the members as this node sees them');
  members.action(() => run(members, runMembers));
  const locate = add('locate <key>', 'say which nodes keep a key');
  locate.action((key: string) => run(locate, (context) => runLocate(context, key)));
  return program;
}
