/**
 * Counts which owners hold a record, by giving it to them: a replica that says "stored" holds it, or something that has seen it, to
 * the durability asked for. What WAIT and WAITAOF answer is therefore true, and copies that were missing are made on the way.
 *
 * Invariants: each owner is counted once; `done` is called once, as soon as enough hold it, all have answered, or time is over.
 * Who refuses or is lost is asked again each half second: it may come back in time.
 */
import type { Durability, Millis, ReplicateReplyMessage, RequestHeader, Sender, Wakeups } from '@kvd/replication';

const AGAIN_MS = 500;

export interface CountRequest {
  readonly address: Uint8Array;
  readonly record: Uint8Array;
  readonly owners: readonly string[];
  readonly durability: Durability;
  /** Enough, when `isEnough` says so of those that hold it. */
  readonly isEnough: (holders: ReadonlySet<string>) => boolean;
  readonly timeoutMs: number;
}

export interface CopyCounterDependencies {
  readonly out: Sender & Wakeups;
  readonly reachable: (node: string) => boolean;
  readonly nextStream: () => number;
  readonly header: (remainingMs: number) => RequestHeader;
}

interface Count {
  readonly request: CountRequest;
  readonly holders: Set<string>;
  readonly untilMs: Millis;
  againMs: Millis;
  readonly done: (holders: ReadonlySet<string>) => void;
}

export class CopyCounter {
  readonly #deps: CopyCounterDependencies;
  readonly #counts = new Map<number, Count>();

  constructor(dependencies: CopyCounterDependencies) {
    this.#deps = dependencies;
  }

  start(request: CountRequest, now: Millis, done: (holders: ReadonlySet<string>) => void): void {
    const stream = this.#deps.nextStream();
    const untilMs = now + request.timeoutMs;
    const count: Count = { request, holders: new Set(), untilMs, againMs: now, done };
    this.#counts.set(stream, count);
    this.#deps.out.wakeAt(untilMs);
    this.#ask(stream, count, now);
  }

  /** Replies that belong to no count are passed over. */
  receive(from: string, message: ReplicateReplyMessage): void {
    const count = this.#counts.get(message.stream);
    if (count === undefined || message.status !== 'stored' || !count.request.owners.includes(from)) return;
    count.holders.add(from);
    const { isEnough, owners } = count.request;
    if (isEnough(count.holders) || count.holders.size === owners.length) this.#end(message.stream, count);
  }

  tick(now: Millis): void {
    for (const [stream, count] of [...this.#counts]) {
      if (now >= count.untilMs) this.#end(stream, count);
      else if (now >= count.againMs) this.#ask(stream, count, now);
    }
  }

  stop(): void {
    for (const [stream, count] of [...this.#counts]) this.#end(stream, count);
  }

  #ask(stream: number, count: Count, now: Millis): void {
    const { out, header, reachable } = this.#deps;
    const { owners, durability, address, record } = count.request;
    count.againMs = now + AGAIN_MS;
    out.wakeAt(count.againMs);
    for (const node of owners) {
      if (count.holders.has(node) || !reachable(node)) continue;
      out.send(node, {
        kind: 'replicate',
        stream,
        header: header(Math.max(1, count.untilMs - now)),
        purpose: 'repair',
        hintFor: undefined,
        durability,
        items: [{ address, record }],
      });
    }
  }

  #end(stream: number, { holders, done }: Count): void {
    if (this.#counts.delete(stream)) done(holders);
  }
}
