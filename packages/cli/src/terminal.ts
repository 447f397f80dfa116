import { EXIT_CODES } from './exit-codes.ts';

/** What a command gives back: results to `out`, everything else to `err`, and a code. Tests pass one that remembers. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** A value as it is, then a newline; without it the value is decoded and given to `out`. */
  outBytes?(bytes: Uint8Array): void;
  /** For the shell, of a command that ends without an exception. */
  exitCode: number;
  /** Somebody watches `err`: progress may be drawn there. */
  readonly isWatched?: boolean;
  /** Nobody reads `out` any more: more of it is work for nothing. */
  readonly isGone?: boolean;
}

export const processTerminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  outBytes: (bytes) => void process.stdout.write(Buffer.concat([bytes, Buffer.from('\n')])),
  err: (line) => void process.stderr.write(`${line}\n`),
  exitCode: EXIT_CODES.ok,
  get isWatched() {
    return process.stderr.isTTY === true;
  },
  get isGone() {
    return process.stdout.destroyed || process.stdout.writableEnded;
  },
};

/**
 * A reader that goes away (`kvctl members | head -1`, or a supervisor killed outright) must not turn into a crash half-way
 * through a clean stop.
 */
export function ignoreBrokenPipes(): void {
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}
