/** Starts `kvd start` as a child process and turns what it does into events. */
import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { NodeProcess, NodeProcessEvents } from './supervisor.ts';

/** `kvd.ts` when this runs from sources, `kvd.js` when it runs from dist. */
const program = fileURLToPath(new URL(`../bin/kvd${extname(import.meta.url)}`, import.meta.url));

/**
 * The child has a process group of its own, so that Ctrl-C in a terminal reaches the supervisor alone and nodes stop in its
 * order. That it cannot outlive the supervisor is the channel's doing (`--supervised`).
 */
export function spawnNode(
  flags: readonly string[],
  variables: Readonly<Record<string, string>>,
  events: NodeProcessEvents,
): NodeProcess {
  const child = spawn(process.execPath, [...process.execArgv, program, 'start', '--supervised', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    env: { ...withoutSettings(process.env), ...variables },
  });
  watch(child, events);
  return { kill: (signal) => void child.kill(signal) };
}

/** Every setting but secrets is given as a flag; the supervisor's own variables would mean something else to a node. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('KVD_')));
}

function watch(child: ChildProcess, events: NodeProcessEvents): void {
  let lastError: string | undefined;
  let spawnError: string | undefined;
  forEachLine(child.stdout, (line) => events.output(line));
  forEachLine(child.stderr, (line) => {
    lastError = line;
    events.output(line);
  });
  child.on('message', (message) => {
    const line = readyLineOf(message);
    if (line !== undefined) events.ready(line);
  });
  child.on('error', (error) => {
    spawnError = error.message;
    // Without a process there is no `close` to wait for.
    if (child.pid === undefined) events.exited({ exitCode: null, signal: null, lastError: spawnError });
  });
  // `close`, not `exit`: by then all that it wrote has been read.
  child.on('close', (exitCode, signal) => {
    if (child.pid !== undefined) events.exited({ exitCode, signal, lastError: lastError ?? spawnError });
  });
}

function forEachLine(stream: Readable | null, use: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', use);
}

function readyLineOf(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const isReady = 'kvd' in message && message.kvd === 'ready' && 'line' in message;
  return isReady && typeof message.line === 'string' ? message.line : undefined;
}
