/**
 * Goal: no moment is a bad one to lose power, or the process, and the next open is no worse a moment.
 *
 * Method: one workload that rotates logs, flushes, compacts and closes is run once to count its calls to the disk, then
 * again for each call, with a crash in the middle of it; what is found must be a prefix of the writes that holds all
 * that was acknowledged. The open after the crash is crashed in the same way, at a call of its own.
 */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../src/engine.ts';
import type { CrashOptions } from '../src/file-system/memory-file-system.ts';
import { WriteBatch } from '../src/write-batch.ts';
import { Machine, turns } from './machine.ts';

const OPTIONS = {
  memtableSizeBytes: 4096,
  level0CompactionTables: 2,
  level0TablesMax: 6,
  level1SizeBytes: 1024,
  tableSizeBytes: 1024,
  blockSizeBytes: 256,
};
const WRITES = 36;
const KEYS = 9;

class Workload {
  readonly machine: Machine;
  /** Writes begun, acknowledged by the system, acknowledged as on disk. */
  begun = 0;
  os = 0;
  sync = 0;

  constructor(seed: number) {
    this.machine = new Machine(seed);
  }

  /** Opens, writes number after number, each with its number in two keys, and closes. */
  async run(): Promise<void> {
    const engine = await this.#alive(this.machine.open(OPTIONS));
    for (let number = 1; engine !== undefined && number <= WRITES && !this.machine.processIsDead; number++) {
      await this.#alive(this.#write(engine, number));
    }
    if (engine !== undefined && !this.machine.processIsDead) await this.#alive(engine.close());
  }

  async #write(engine: Engine, number: number): Promise<void> {
    const value = Buffer.alloc(300, `${number} `);
    const batch = new WriteBatch()
      .put(Buffer.from(`k${number % KEYS}`), value)
      .put(Buffer.from('last'), Buffer.from(`${number}`));
    this.begun = number;
    const isSync = number % 3 === 0;
    await engine.write(batch, { durability: isSync ? 'sync' : 'os' });
    if (this.machine.processIsDead) return;
    this.os = number;
    if (isSync) this.sync = number;
  }

  /** A dead process answers nothing. */
  async #alive<T>(work: Promise<T>): Promise<T | undefined> {
    let outcome: { value: T } | { error: unknown } | undefined;
    work.then(
      (value) => void (outcome = { value }),
      (error: unknown) => void (outcome = { error }),
    );
    while (outcome === undefined && !this.machine.processIsDead) await turns(1);
    if (outcome === undefined || this.machine.processIsDead) return undefined;
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Opens, dying at the call if it is not too late for that, and opens again. */
  async check(mode: CrashOptions['mode'], calls: number, seed: number): Promise<void> {
    const opening = this.machine.open(OPTIONS);
    this.machine.crashAtCall(calls, mode, seed);
    const first = await this.#alive(opening);
    if (first !== undefined) this.machine.crash(mode, seed);
    const engine = await this.machine.open(OPTIONS);
    this.#compare(engine, mode === 'keep-all' ? this.os : this.sync);
    await engine.close();
  }

  #compare(engine: Engine, atLeast: number): void {
    const last = Number(engine.getSync(Buffer.from('last'))?.toString() ?? 0);
    expect(last).toBeGreaterThanOrEqual(atLeast);
    expect(last).toBeLessThanOrEqual(this.begun);
    for (let key = 0; key < KEYS; key++) {
      const newest = last - ((last - key + KEYS) % KEYS);
      const expected = newest > 0 ? Buffer.alloc(300, `${newest} `).toString() : undefined;
      expect(engine.getSync(Buffer.from(`k${key}`))?.toString(), `k${key} after write ${last}`).toBe(expected);
    }
  }
}

async function callsOf(): Promise<number> {
  const workload = new Workload(1);
  let calls = 0;
  workload.machine.disk.onCall = () => void calls++;
  await workload.run();
  return calls;
}

describe('a crash', () => {
  it.each([
    ['drop-all', 1],
    ['keep-all', 1],
    ['random', 5],
  ] as const)(
    'at any call to the disk, and again in the open after it, leaves a prefix (%s)',
    async (mode, rounds) => {
      const total = await callsOf();
      expect(total).toBeGreaterThan(150);
      for (let round = 0; round < total * rounds; round++) {
        const workload = new Workload(1);
        const running = workload.run();
        workload.machine.crashAtCall(round % total, mode, round);
        await running;
        workload.machine.crash(mode, round);
        await workload.check(mode, round % 53, round + 7);
      }
    },
    60_000,
  );
});
