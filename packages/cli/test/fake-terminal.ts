import type { Terminal } from '../src/terminal.ts';

/** A terminal that remembers what it was told. */
export class FakeTerminal implements Terminal {
  readonly output: string[] = [];
  readonly errors: string[] = [];
  exitCode = 0;

  out(line: string): void {
    this.output.push(line);
  }

  err(line: string): void {
    this.errors.push(line);
  }
}
