/** `kvd start`: one node in this process, from its settings to its exit code. */
import type { RunningNode, startNode } from '@kvd/node';
import { EXIT_CODES } from '../exit-codes.ts';
import type { NodeSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { describeStartError, peerPortOf } from './start-error.ts';
import { listenForStop } from './stop-signals.ts';

/** How long a node whose disk failed goes on answering reads, so that clients can move to others. */
const DRAIN_MS = 5000;

export interface StartDependencies {
  readonly startNode: typeof startNode;
  /** Resolves when the process is asked to stop; made before the node starts, so that no wish is lost meanwhile. */
  readonly stopWish: Promise<void>;
  announce(line: string): void;
  /** Resolves after the time that a failing node goes on answering reads. */
  drained(): Promise<void>;
}

/** Runs until told to stop. Answers the exit code. Throws CliError when the node does not start. */
export async function start(
  settings: NodeSettings,
  dependencies: StartDependencies,
  terminal: Terminal,
): Promise<number> {
  const node = await startOrExplain(settings, dependencies);
  dependencies.announce(readyLine(settings));
  const failure = await Promise.race([dependencies.stopWish, node.failed]);
  if (failure !== undefined) {
    const what = 'the disk failed under a write, and nothing more is acknowledged';
    terminal.err(`${settings.id} stops: ${what}: ${failure.message}`);
    await Promise.race([dependencies.drained(), dependencies.stopWish]);
  }
  const isClean = await stopOrTell(node, settings, terminal);
  if (failure !== undefined) return EXIT_CODES.durabilityLost;
  return isClean ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** A node without its pid file would be one that scripts cannot find, so that too is a failed start. */
async function startOrExplain(settings: NodeSettings, dependencies: StartDependencies): Promise<RunningNode> {
  let node: RunningNode | undefined;
  try {
    node = await dependencies.startNode(toNodeConfig(settings));
    writePidFile(settings.data);
    return node;
  } catch (error) {
    await node?.stop();
    throw describeStartError(error, settings);
  }
}

function toNodeConfig(settings: NodeSettings): Parameters<typeof startNode>[0] {
  return {
    id: settings.id,
    host: settings.host,
    port: settings.port,
    peerPort: peerPortOf(settings),
    dataDirectory: settings.data,
    initialMembers: settings['initial-members'],
    logLevel: settings['log-level'],
    logFormat: settings['log-format'],
    requirepass: settings.requirepass ?? '',
    peerSecret: settings['peer-secret'] ?? '',
    unsafeNoAuth: settings['unsafe-no-auth'],
    ...(settings['admin-port'] !== undefined && { adminPort: settings['admin-port'] }),
    maxValueBytes: settings['max-value-bytes'],
    gossipIntervalMs: settings['gossip-interval-ms'],
    antiEntropyIntervalMs: settings['anti-entropy-interval-ms'],
  };
}

async function stopOrTell(node: RunningNode, { id, data }: NodeSettings, terminal: Terminal): Promise<boolean> {
  try {
    await node.stop();
    removePidFile(data);
    return true;
  } catch (error) {
    terminal.err(`${id} did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

export function readyLine(settings: NodeSettings): string {
  const { id, host, port, data } = settings;
  return `${id} ready: RESP ${host}:${port}, peers ${host}:${peerPortOf(settings)}, data ${data}`;
}

/** What a real process depends on. People read the ready line; `kvd dev` takes a message, so that no wording is an interface. */
export async function processDependencies(supervised: boolean, terminal: Terminal): Promise<StartDependencies> {
  const stopWish = new Promise<void>((resolve) => {
    listenForStop({ stop: () => resolve(), stopNow: () => process.exit(130) }, supervised);
  });
  const { startNode } = await import('@kvd/node');
  const announce = (line: string) => {
    if (process.send === undefined) terminal.out(line);
    else process.send({ kvd: 'ready', line });
  };
  const drained = () => new Promise<void>((resolve) => void setTimeout(resolve, DRAIN_MS));
  return { startNode, stopWish, announce, drained };
}
