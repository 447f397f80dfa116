/** What this node counts of each command since it started or since CONFIG RESETSTAT: for INFO commandstats. */
export interface CommandCount {
  readonly name: string;
  calls: number;
  /** From the command's arrival to its reply, milliseconds: waiting for other nodes and disks is part of it. */
  tookMs: number;
  failures: number;
}

export class CommandStats {
  readonly #counts = new Map<string, CommandCount>();

  add(name: string, tookMs: number, hasFailed: boolean): void {
    let count = this.#counts.get(name);
    if (count === undefined) this.#counts.set(name, (count = { name, calls: 0, tookMs: 0, failures: 0 }));
    count.calls++;
    count.tookMs += tookMs;
    if (hasFailed) count.failures++;
  }

  /** By name. */
  counts(): readonly CommandCount[] {
    return [...this.#counts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  clear(): void {
    this.#counts.clear();
  }
}
