/**
 * What an acknowledgement promises, checked when it is given and when a disk is lost:
 *
 *   I1   an acknowledged write is on the disks of as many machines as the reply says, W at least
 *        a write of which the last disk is taken away is excused from all that follows; one that W ≥ 2 disks held never is,
 *        when a single disk goes
 */
import { encodeAddress, VersionVector, type WriteOutcome } from '@kvd/replication';
import { slotOf } from '@kvd/ring';
import type { History, WriteRecord } from './history.ts';
import { InvariantViolation } from './invariant.ts';
import type { Scheduler } from './scheduler.ts';
import type { StoreTap } from './store-tap.ts';

export class Acknowledgements {
  readonly counters = { ok: 0, failed: 0, indeterminate: 0, excused: 0, checked: 0 };
  readonly #history: History;
  readonly #tap: StoreTap;
  readonly #scheduler: Scheduler;
  #lastDiskLostMs = Number.NEGATIVE_INFINITY;
  #disksLost = 0;

  constructor(history: History, tap: StoreTap, scheduler: Scheduler) {
    this.#history = history;
    this.#tap = tap;
    this.#scheduler = scheduler;
  }

  ended(write: WriteRecord, key: Uint8Array, outcome: WriteOutcome): void {
    write.endMs = this.#scheduler.nowMs;
    const isVoid = outcome.status === 'ok' && !outcome.result.applied;
    write.result = isVoid ? 'failed' : outcome.status;
    this.counters[write.result]++;
    if (isVoid) write.detail = 'there was nothing to do';
    else if (outcome.status === 'ok') this.#acknowledged(write, key, outcome);
    else write.detail = `${outcome.reason}: ${outcome.detail}`;
  }

  /** The disk is about to go. */
  diskLost(node: number): void {
    this.#lastDiskLostMs = this.#scheduler.nowMs;
    this.#disksLost++;
    for (const write of this.#history.all) {
      if (write.result !== 'ok' || write.context === undefined || write.excused) continue;
      const left = this.#tap.durableHolders(addressOf(Buffer.from(write.key, 'latin1')), write.context);
      if (left.some((holder) => holder !== node)) continue;
      write.excused = true;
      this.counters.excused++;
      if (write.consistency.w < 2 || this.#disksLost > 1) continue;
      const message = `the write was acknowledged by ${write.consistency.w}, and only n${node} has it on its disk`;
      throw new InvariantViolation('I1 durability', message, write.key);
    }
  }

  #acknowledged(write: WriteRecord, key: Uint8Array, outcome: WriteOutcome & { readonly status: 'ok' }): void {
    write.context = VersionVector.decode(outcome.context);
    if (write.consistency.durability !== 'sync' || this.#lastDiskLostMs >= write.startMs) return;
    this.counters.checked++;
    const holders = this.#tap.durableHolders(addressOf(key), write.context);
    const promised = Math.max(write.consistency.w, outcome.acknowledged);
    if (holders.length >= promised) return;
    const names = holders.map((node) => `n${node}`).join(', ');
    const message = `acknowledged by ${promised}, but durable only at ${names === '' ? 'none' : names}`;
    throw new InvariantViolation('I1 durability', message, write.key);
  }
}

function addressOf(key: Uint8Array): Buffer {
  return encodeAddress({ slot: slotOf(key), keyspace: 0, generation: 0, key, subkey: Buffer.alloc(0) });
}
