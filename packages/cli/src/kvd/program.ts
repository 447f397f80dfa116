import { type Command, createProgram, Option } from '../command-line.ts';
import { secretVariables } from '../secrets.ts';
import { addSettingFlags, settingsOf } from '../setting-flags.ts';
import { devSettings, nodeSettings, type SettingsOf, type SettingsSchema } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../version.ts';

/** `kvd`: runs one node, or a cluster of them on this machine. */
export function createKvdProgram(terminal: Terminal, environment: NodeJS.ProcessEnv): Command {
  const description = 'Runs kvd nodes. Settings come from flags, KVD_* variables and a config file, in this order.';
  const program = createProgram({ name: 'kvd', description, version: packageVersion() }, terminal);

  const start = addSettingFlags(program.command('start').description('run one node'), nodeSettings);
  start.addOption(supervisedOption()).action(async () => {
    const settings = settingsOf(start, nodeSettings, environment);
    hideArguments('kvd start', settings);
    const { processDependencies, start: runNode } = await import('./start.ts');
    const dependencies = await processDependencies(start.opts()['supervised'] === true, terminal);
    terminal.exitCode = await runNode(settings, dependencies, terminal);
  });

  const dev = addSettingFlags(program.command('dev').description('run a cluster on this machine'), devSettings);
  dev.addOption(supervisedOption()).action(async () => {
    const { dev: runCluster } = await import('./dev.ts');
    const supervised = dev.opts()['supervised'] === true;
    const settings = settingsOf(dev, devSettings, environment);
    hideArguments('kvd dev', settings);
    terminal.exitCode = await runCluster(settings, { supervised }, terminal);
  });
  return program;
}

/** A secret that was typed as a flag stands in the list of processes until this puts something else there. */
function hideArguments(title: string, settings: SettingsOf<SettingsSchema>): void {
  if (Object.keys(secretVariables(settings)).length > 0) process.title = title;
}

function supervisedOption(): Option {
  return new Option('--supervised', 'stop when the parent goes: its IPC channel, or else stdin, is watched');
}
