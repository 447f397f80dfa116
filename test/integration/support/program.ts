/** Runs `kvd` and `kvctl` as people do: as processes, judged by what they print and how they exit. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const sourceBin = fileURLToPath(new URL('../../../packages/cli/src/bin/', import.meta.url));
const LINE_TIMEOUT_MS = 30_000;

/** How to call the programs: from sources unless told otherwise. */
export interface Installation {
  readonly kvd: readonly string[];
  readonly kvctl: readonly string[];
}

export const fromSources: Installation = {
  kvd: ['--conditions=source', `${sourceBin}kvd.ts`],
  kvctl: ['--conditions=source', `${sourceBin}kvctl.ts`],
};

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running process whose lines, of stdout and stderr together, can be waited for. */
export class Program {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly ended: Promise<Ending>;
  readonly #waiting = new Set<() => void>();
  #ending: Ending | undefined;

  constructor(args: readonly string[]) {
    const environment = { ...process.env, NO_COLOR: '1' };
    // Its stdin stays open as long as this process lives: what runs `--supervised` cannot outlive a test that was cut off.
    this.child = spawn(process.execPath, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env: environment });
    for (const stream of [this.child.stdout, this.child.stderr]) this.#collect(stream);
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.#ending = { code, signal };
        this.#notify();
        resolve(this.#ending);
      });
    });
  }

  /** The first line from `from` on that contains the text. Rejects with all that was printed when there is none in time. */
  line(text: string, from = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      const give = (outcome: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        outcome();
      };
      const fail = (why: string) =>
        give(() => reject(new Error(`${why}: no line with '${text}' in:\n${this.lines.join('\n')}`)));
      const look = () => {
        const found = this.lines.slice(from).find((line) => line.includes(text));
        if (found !== undefined) give(() => resolve(found));
        else if (this.#ending !== undefined) fail(`ended with ${JSON.stringify(this.#ending)}`);
      };
      const timer = setTimeout(() => fail('in time'), LINE_TIMEOUT_MS);
      this.#waiting.add(look);
      look();
    });
  }

  #collect(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
      this.#notify();
    });
  }

  #notify(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** Runs to the end. */
export async function run(args: readonly string[]): Promise<Ending & { readonly output: string }> {
  const program = new Program(args);
  const ending = await program.ended;
  return { ...ending, output: program.lines.join('\n') };
}
