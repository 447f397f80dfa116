/** `kvd start`: one node in this process, from its settings to its exit code. */
import { type RunningNode, startNode } from '@kvd/node';
import { EXIT_CODES } from '../exit-codes.ts';
import type { NodeSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { removePidFile, writePidFile } from './pid-file.ts';
import { describeStartError, peerPortOf } from './start-error.ts';
import { listenForStop } from './stop-signals.ts';

/** How long a node whose disk failed goes on answering reads, so that clients can move to others. */
const DRAIN_MS = 5000;

type Ending = { readonly kind: 'stop' } | { readonly kind: 'failed'; readonly error: Error };

/** Runs until told to stop. Answers the exit code. Throws CliError when the node does not start. */
export async function start(
  settings: NodeSettings,
  { supervised }: { readonly supervised: boolean },
  terminal: Terminal,
): Promise<number> {
  // Before the node starts: a wish to stop must not be lost while a long log is replayed.
  const stopWish = waitForStop(supervised);
  const node = await startOrExplain(settings);
  writePidFile(settings.data);
  announce(readyLine(settings), terminal);
  const ending = await Promise.race<Ending>([stopWish, node.failed.then((error) => ({ kind: 'failed', error }))]);
  if (ending.kind === 'failed') await drain(ending.error, stopWish, settings, terminal);
  await node.stop();
  removePidFile(settings.data);
  return ending.kind === 'failed' ? EXIT_CODES.durabilityLost : EXIT_CODES.ok;
}

async function startOrExplain(settings: NodeSettings): Promise<RunningNode> {
  try {
    return await startNode({
      id: settings.id,
      host: settings.host,
      port: settings.port,
      peerPort: peerPortOf(settings),
      dataDirectory: settings.data,
      initialMembers: settings['initial-members'],
      logLevel: settings['log-level'],
      maxValueBytes: settings['max-value-bytes'],
      gossipIntervalMs: settings['gossip-interval-ms'],
      antiEntropyIntervalMs: settings['anti-entropy-interval-ms'],
    });
  } catch (error) {
    throw describeStartError(error, settings);
  }
}

function waitForStop(supervised: boolean): Promise<Ending> {
  return new Promise((resolve) => {
    const stopNow = () => process.exit(130);
    listenForStop({ stop: () => resolve({ kind: 'stop' }), stopNow }, supervised);
  });
}

export function readyLine(settings: NodeSettings): string {
  const { id, host, port, data } = settings;
  return `${id} ready: RESP ${host}:${port}, peers ${host}:${peerPortOf(settings)}, data ${data}`;
}

/** People read the line; `kvd dev` takes the message, so that no wording is an interface. */
function announce(line: string, terminal: Terminal): void {
  if (process.send === undefined) terminal.out(line);
  else process.send({ kvd: 'ready', line });
}

async function drain(error: Error, stopWish: Promise<Ending>, { id }: NodeSettings, terminal: Terminal): Promise<void> {
  terminal.err(`${id} stops: the disk failed under a write, and nothing more is acknowledged: ${error.message}`);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([over, stopWish]);
  clearTimeout(timer);
}
