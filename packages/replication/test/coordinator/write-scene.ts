/** Drives a write coordinator by hand and writes down, in words, what it is told (`>`) and what it wants done. */
import { WriteCoordinator, type WriteRequest } from '../../src/coordinator/write-coordinator.ts';
import type { CoordinateRequest, WriteEffects } from '../../src/effects.ts';
import type { Consistency, Message, NodeId, WriteOutcome } from '../../src/messages.ts';
import { ADDRESS, FakeReach, fetchReply, HEADER, QUORUM, replicateReply } from './fixtures.ts';

const STATE = new TextEncoder().encode('state');

export class WriteScene implements WriteEffects {
  readonly reach = new FakeReach();
  readonly coordinator: WriteCoordinator;
  readonly #lines: string[];
  now = 0;

  constructor(title: string, self: NodeId = 'A') {
    this.#lines = [`# ${title}`, ''];
    this.coordinator = new WriteCoordinator({ self, reach: this.reach, out: this });
  }

  get transcript(): string {
    const { ok, failed, indeterminate, hintsKept, standIns } = this.coordinator.counters;
    const counters = `ok ${ok}, failed ${failed}, indeterminate ${indeterminate}, hints kept ${hintsKept}, stand-ins ${standIns}`;
    return `${[...this.#lines, '', `in flight: ${this.coordinator.inFlight}; ${counters}`].join('\n')}\n`;
  }

  // What it is told.

  start(request: Partial<Omit<WriteRequest, 'consistency'>> & { consistency?: Partial<Consistency> } = {}): void {
    const consistency = { ...QUORUM, ...request.consistency };
    const { row = ['A', 'B', 'C'], fallbacks = [], preRead = false } = request;
    const asked = `W=${consistency.w} ${consistency.mode}, row ${row.join(' ')}, fallbacks ${fallbacks.join(' ') || 'none'}`;
    this.#told(`start: ${asked}${preRead ? `, R=${consistency.r} contexts first` : ''}`);
    const operation = { type: 'put', value: Uint8Array.of(7), supersedes: 'held' } as const;
    const base = { stream: 1, header: HEADER, address: ADDRESS, operation, row, fallbacks, preRead };
    this.coordinator.start({ ...base, ...request, consistency }, this.now);
  }

  merged(): void {
    this.#told('the local replica has merged it');
    this.coordinator.merged(1, STATE, Uint8Array.of(9), this.now);
  }

  unchanged(): void {
    this.#told('the local replica found nothing to write');
    this.coordinator.unchanged(1, Uint8Array.of(9), { applied: false, value: undefined });
  }

  stored(error?: Error): void {
    this.#told(error === undefined ? 'the local copy is durable' : `the local copy failed: ${error.message}`);
    this.coordinator.stored(1, error, this.now);
  }

  replies(from: NodeId, refusal = ''): void {
    this.#told(refusal === '' ? `${from}: stored` : `${from}: refused (${refusal})`);
    this.coordinator.receive(from, replicateReply(1, refusal), this.now);
  }

  context(from: NodeId, record: Uint8Array | undefined): void {
    this.#told(`${from}: holds ${record === undefined ? 'nothing' : 'a record'}`);
    this.coordinator.receive(from, fetchReply(1, record), this.now);
  }

  loses(node: NodeId): void {
    this.#told(`the connection to ${node} went`);
    this.reach.away.add(node);
    this.coordinator.unreachable(node, this.now);
  }

  at(now: number): void {
    this.now = now;
    this.#told('tick');
    this.coordinator.tick(now);
  }

  stop(): void {
    this.#told('stop');
    this.coordinator.stop(this.now);
  }

  // What it wants done.

  send(to: NodeId, message: Message): void {
    if (message.kind === 'fetch') this.#does(`send ${to}: fetch (${message.header.remainingMs} ms left)`);
    else if (message.kind === 'replicate') {
      const hint = message.hintFor === undefined ? '' : `, as a hint for ${message.hintFor}`;
      this.#does(`send ${to}: replicate, ${message.durability}${hint} (${message.header.remainingMs} ms left)`);
    }
  }

  coordinate(_stream: number, request: CoordinateRequest): void {
    const hints = request.hintFor.length === 0 ? '' : `, with a hint for ${request.hintFor.join(' ')}`;
    const seen = request.seen.length === 0 ? '' : `, having seen ${request.seen.length} record(s)`;
    this.#does(`coordinate, ${request.durability}${hints}${seen}`);
  }

  keepHint(target: NodeId): void {
    this.#does(`keep a hint for ${target}`);
  }

  finish(_stream: number, outcome: WriteOutcome): void {
    if (outcome.status === 'ok') {
      this.#does(
        `finish: ok, ${outcome.acknowledged} acknowledged, ${outcome.hinted} of them as hints${outcome.result.applied ? '' : '; not applied'}`,
      );
    } else this.#does(`finish: ${outcome.status} (${outcome.reason}): ${outcome.detail}`);
  }

  wakeAt(at: number): void {
    this.#does(`wake me at ${at}`);
  }

  #told(text: string): void {
    this.#lines.push(`${String(this.now).padStart(4)} > ${text}`);
  }

  #does(text: string): void {
    this.#lines.push(`         ${text}`);
  }
}
