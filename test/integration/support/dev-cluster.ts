import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from './free-ports.ts';
import { fromSources, type Installation, Program, run } from './program.ts';

/** `kvd dev` with a data directory of its own, and `kvctl` for it. */
export class DevCluster {
  readonly port: number;
  readonly data: string;
  readonly program: Program;
  readonly #installation: Installation;

  private constructor(port: number, data: string, program: Program, installation: Installation) {
    this.port = port;
    this.data = data;
    this.program = program;
    this.#installation = installation;
  }

  /** Resolves once it has printed `kvd ready`. */
  static async start(
    nodes: number,
    flags: readonly string[] = [],
    installation: Installation = fromSources,
  ): Promise<DevCluster> {
    const port = await freeBasePort(nodes);
    const data = await mkdtemp(join(tmpdir(), 'kvd-dev-'));
    const settings = ['--nodes', `${nodes}`, '--port', `${port}`, '--data', data, ...flags];
    const program = new Program([...installation.kvd, 'dev', '--supervised', ...settings]);
    await program.line('kvd ready');
    return new DevCluster(port, data, program, installation);
  }

  /** `kvctl` through node `number`; the exit code and all that was printed. */
  kvctl(number: number, ...args: readonly string[]) {
    return run([...this.#installation.kvctl, '-p', `${this.port + number - 1}`, ...args]);
  }

  pid(number: number): number {
    return Number(readFileSync(join(this.data, `node-${number}`, 'kvd.pid'), 'utf8'));
  }

  /** Ctrl-C, as far as a process can tell; removes the data. */
  async stop(): Promise<void> {
    this.program.child.kill('SIGTERM');
    await this.program.ended;
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** Resolves when no process has this pid any more. */
export async function processGone(pid: number): Promise<void> {
  for (let waitedMs = 0; isAlive(pid); waitedMs += 50) {
    if (waitedMs > 15_000) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
