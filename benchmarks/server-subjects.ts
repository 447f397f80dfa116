/** The servers that redis-benchmark is pointed at, each started anew on free ports with an empty directory. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchmarksDirectory, rootDirectory } from './places.ts';
import { serve, type Service, sourceArguments } from './processes.ts';

export interface ServerSubject {
  readonly name: string;
  readonly isOurs: boolean;
  /** Ports in a row that it needs, each with another 10000 above it. */
  readonly ports: number;
  /** A program that must be there. */
  readonly needs: string | undefined;
  start(options: StartOptions): Service;
}

export interface StartOptions {
  readonly port: number;
  readonly directory: string;
  readonly isProfiled: boolean;
}

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const START_POLL_MS = 100;
const PEER_PORT_OFFSET = 10_000;
const kvdProgram = join(rootDirectory, 'packages/cli/src/bin/kvd.ts');

export const SERVER_SUBJECTS: readonly ServerSubject[] = [
  kvdSubject('kvd, one node', 1),
  kvdSubject('kvd, three nodes', 3),
  redisSubject('redis, always', 'always'),
  redisSubject('redis, everysec', 'everysec'),
  {
    name: 'bare Node',
    isOurs: false,
    ports: 1,
    needs: undefined,
    start: ({ port }) =>
      serve(process.execPath, [...sourceArguments(join(benchmarksDirectory, 'bare-resp-server.ts'), false), `${port}`]),
  },
];

function kvdSubject(name: string, nodes: number): ServerSubject {
  return {
    name,
    isOurs: true,
    ports: nodes,
    needs: undefined,
    start: ({ port, directory, isProfiled }) => {
      const flags = ['--supervised', '--nodes', `${nodes}`, '--host', HOST, '--port', `${port}`, '--data', directory];
      return serve(process.execPath, [...sourceArguments(kvdProgram, isProfiled), 'dev', ...flags]);
    },
  };
}

function redisSubject(name: string, appendfsync: string): ServerSubject {
  return {
    name,
    isOurs: false,
    ports: 1,
    needs: 'redis-server',
    start: ({ port, directory }) => {
      const settings = { port: `${port}`, bind: HOST, dir: directory, save: '', appendonly: 'yes', appendfsync };
      return serve(
        'redis-server',
        Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
      );
    },
  };
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The first port of a free row. Ports are asked, not drawn: a run can be repeated. */
export async function freePort(ports: number): Promise<number> {
  for (let base = 27_379; base < 50_000; base += 10) {
    const row = Array.from({ length: ports }, (_, i) => base + i);
    const free = await Promise.all(row.flatMap((port) => [isFree(port), isFree(port + PEER_PORT_OFFSET)]));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports from 27379 to 50000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Fulfilled when a SET through every port is answered with OK. Throws with what the server said when it never is. */
export async function whenReady(service: Service, ports: readonly number[]): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (const port of ports) {
    while (!(await answersOk(port))) {
      if (service.hasEnded() || Date.now() > deadline) throw new Error(`it did not start: ${service.output()}`);
      await sleep(START_POLL_MS);
    }
  }
}

function answersOk(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write('SET ready yes\r\n'));
    const end = (isOk: boolean) => {
      socket.destroy();
      resolve(isOk);
    };
    socket.setTimeout(2000, () => end(false));
    socket.on('data', (chunk) => end(chunk.toString('latin1').startsWith('+OK')));
    socket.on('error', () => end(false));
    socket.on('close', () => resolve(false));
  });
}
