/** Drives a read coordinator by hand and writes down, in words, what it is told (`>`) and what it wants done. */
import { ReadCoordinator, type ReadRequest } from '../../src/coordinator/read-coordinator.ts';
import type { ReadEffects } from '../../src/effects.ts';
import type { Consistency, FetchReplyMessage, Message, NodeId, ReadOutcome } from '../../src/messages.ts';
import { ADDRESS, FakeReach, fetchReply, HEADER, QUORUM } from './fixtures.ts';
import { nameOf } from './records.ts';

export class ReadScene implements ReadEffects {
  readonly reach = new FakeReach();
  readonly coordinator: ReadCoordinator;
  readonly #self: NodeId;
  readonly #lines: string[];
  now = 0;

  constructor(title: string, self: NodeId = 'A') {
    this.#lines = [`# ${title}`, ''];
    this.#self = self;
    this.coordinator = new ReadCoordinator({ self, reach: this.reach, out: this });
  }

  get transcript(): string {
    const counted = Object.entries(this.coordinator.counters)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`);
    return `${[...this.#lines, '', `in flight: ${this.coordinator.inFlight}; ${counted.join(', ')}`].join('\n')}\n`;
  }

  // What it is told.

  start(request: Partial<Omit<ReadRequest, 'consistency'>> & { consistency?: Partial<Consistency> } = {}): void {
    const consistency = { ...QUORUM, ...request.consistency };
    const { row = ['A', 'B', 'C'], fallbacks = [], repair = false } = request;
    const primaries = consistency.pr > 0 ? ` PR=${consistency.pr}` : '';
    const asked = `R=${consistency.r}${primaries} ${consistency.mode}, row ${row.join(' ')}`;
    this.#told(`start: ${asked}, fallbacks ${fallbacks.join(' ') || 'none'}${repair ? ', sampled for repair' : ''}`);
    const isOwner = row.includes(this.#self);
    const base = { stream: 1, header: HEADER, address: ADDRESS, row, fallbacks, isOwner, repair };
    this.coordinator.start({ ...base, ...request, consistency }, this.now);
  }

  answers(from: NodeId, record: Uint8Array | undefined, more: Partial<FetchReplyMessage> = {}): void {
    const role = more.role === 'fallback' ? ', as a fallback' : '';
    this.#told(`${from}: holds ${nameOf(record)}${role}${more.doubt ? ', in doubt of its log' : ''}`);
    this.coordinator.receive(from, fetchReply(1, record, more), this.now);
  }

  refuses(from: NodeId): void {
    this.#told(`${from}: refused`);
    const refusal = { status: 'refused', reason: 'failed', records: [] } as const;
    this.coordinator.receive(from, fetchReply(1, undefined, refusal), this.now);
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
      this.#does(
        `send ${to}: replicate ${nameOf(message.items[0]?.record)}, for ${message.purpose} (stream ${message.stream})`,
      );
    }
  }

  finish(_stream: number, outcome: ReadOutcome): void {
    if (outcome.status === 'ok') {
      const degraded = outcome.degraded ? ', degraded' : '';
      this.#does(`finish: ${nameOf(outcome.record)}, from ${outcome.answered}${degraded}`);
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
