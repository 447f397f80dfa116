/** Timers for tests: time stands still until the test moves it, and what was deferred runs when the test says so. */
import type { TimerHandle, Timers } from './timers.ts';

interface ManualTimer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualTimers implements Timers {
  #nowMs = 0;
  #order = 0;
  #timers: ManualTimer[] = [];
  #deferred: (() => void)[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = { atMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#timers.push(timer);
    return timer;
  }

  clearTimer(handle: TimerHandle): void {
    this.#timers = this.#timers.filter((timer) => timer !== handle);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Timers set and not yet due. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Runs one turn: what was deferred before the call. False when there was nothing. */
  turn(): boolean {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const callback of deferred) callback();
    return deferred.length > 0;
  }

  /** Runs turns until nothing is deferred. */
  drain(): void {
    while (this.turn());
  }

  /** Moves time on, running what falls due in order, each with the turns that it brings about. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (let due = this.#nextDue(end); due !== undefined; due = this.#nextDue(end)) {
      this.clearTimer(due);
      this.#nowMs = due.atMs;
      due.callback();
      this.drain();
    }
    this.#nowMs = end;
  }

  #nextDue(endMs: number): ManualTimer | undefined {
    const due = this.#timers.filter((timer) => timer.atMs <= endMs);
    return due.sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }
}
