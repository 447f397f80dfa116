/** `kvd dev`: a cluster of real processes on this machine, in the foreground. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseDuration } from '../duration.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { secretVariables } from '../secrets.ts';
import type { DevSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { nextSteps, type PlannedNode, planNodes, portUses } from './dev-plan.ts';
import { spawnNode } from './node-process.ts';
import { requireFreePorts } from './ports.ts';
import { listenForStop } from './stop-signals.ts';
import { Supervisor } from './supervisor.ts';

const STOP_TIMEOUT_MS = 10_000;

/** Runs until told to stop. Answers the exit code. Throws CliError when a port is taken. */
export async function dev(
  settings: DevSettings,
  { supervised }: { readonly supervised: boolean },
  terminal: Terminal,
): Promise<number> {
  const nodes = planNodes(settings);
  const underNpm = process.env['npm_lifecycle_event'] !== undefined;
  const otherPort = settings.port + 100;
  await requireFreePorts(
    settings.host,
    portUses(nodes),
    underNpm ? `npm start -- --port ${otherPort}` : `--port ${otherPort}`,
  );
  terminal.out(`starting ${nodes.length} nodes, data in ${settings.data}`);
  return supervise(nodes, settings, supervised, terminal);
}

function supervise(
  nodes: readonly PlannedNode[],
  settings: DevSettings,
  supervised: boolean,
  terminal: Terminal,
): Promise<number> {
  return new Promise((resolve) => {
    let exitCode: number = EXIT_CODES.ok;
    const restartDelayMs = parseDuration(settings['restart-delay']) ?? 0;
    const options = { ids: nodes.map(({ id }) => id), restartDelayMs, stopTimeoutMs: STOP_TIMEOUT_MS };
    const supervisor = new Supervisor(options, {
      spawn: (id, events) =>
        spawnNode(nodes.find((node) => node.id === id)?.flags ?? [], secretVariables(settings), events),
      after: startTimer,
      report: (line) => terminal.out(line),
      allReady: () => announceReady(nodes, settings, terminal),
      failed: (death) => {
        exitCode = death.exitCode ?? EXIT_CODES.failed;
        stop('a node cannot start');
      },
    });
    let isStopping = false;
    const stop = (reason: string) => {
      if (isStopping) return;
      isStopping = true;
      terminal.out(`stopping all nodes (${reason})`);
      supervisor.stop(() => {
        terminal.out('all nodes have stopped');
        resolve(exitCode);
      });
    };
    listenForStop({ stop, stopNow: () => supervisor.killAll() }, supervised);
    supervisor.start();
  });
}

function startTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

function announceReady(nodes: readonly PlannedNode[], settings: DevSettings, terminal: Terminal): void {
  const kvctl = process.env['npm_lifecycle_event'] === undefined ? 'kvctl' : 'npx kvctl';
  const context = { hasRedisCli: isOnPath('redis-cli'), kvctl, needsPassword: settings.requirepass !== undefined };
  terminal.out('kvd ready');
  for (const line of nextSteps(nodes, context)) terminal.out(line);
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
