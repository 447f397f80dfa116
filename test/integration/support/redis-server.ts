/** A redis-server of its own for a test, with nothing on disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { freeBasePort } from './free-ports.ts';

/** The version line; undefined when it is not installed. */
export function redisServerVersion(): string | undefined {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

export class RedisServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** Resolves once it takes connections. */
  static async start(): Promise<RedisServer> {
    const port = await freeBasePort(1);
    const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      let printed = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString('latin1');
        if (printed.includes('Ready to accept connections')) resolve();
      });
      child.once('error', reject).once('exit', () => reject(new Error(`redis-server did not start: ${printed}`)));
    });
    return new RedisServer(port, child);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
