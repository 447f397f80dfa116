/**
 * The entry node's part of a write: it goes to the first node of the preference list that can be reached, which coordinates
 * it; when that node is lost or silent before it has answered, to the next one, under the same request id. What a second run
 * would change is not given to a second node.
 *
 * - Every request ends with exactly one outcome. Once a coordinator may have begun, a request without an answer is
 *   `indeterminate`, never `failed`.
 * - A silent coordinator may wake up and run the write later than the one that took its place. So no client is told `ok`
 *   while another node may still run its request: run then, it would supersede what the client writes next. The entry waits
 *   until each node that has the request has answered, or is lost (it runs nothing that is older than FORWARD_AGE_MAX_MS, and
 *   a silent connection is closed later than that), or the request's time is over.
 */
import {
  type Consistency,
  DeadlineQueue,
  type ForwardReplyMessage,
  isRepeatable,
  type Message,
  type Reachability,
  type RequestHeader,
  type Wakeups,
  type WriteOperation,
  type WriteOutcome,
} from '@kvd/replication';

/** A silent coordinator is given up for the next one after this share of the request's time. */
const PATIENCE = 0.25;
const PATIENCE_MAX_MS = 1000;
/**
 * A forwarded write that is older than this is refused by its coordinator. More than the patience, and less than what it takes
 * a silent connection to be closed (3 s), with room for clocks that differ by up to a second.
 */
export const FORWARD_AGE_MAX_MS = 2000;

export interface RoutedWrite {
  readonly stream: number;
  readonly header: RequestHeader;
  readonly consistency: Consistency;
  readonly address: Uint8Array;
  readonly operation: WriteOperation;
  /** Owners, then (sloppy) fallbacks, in order of preference. */
  readonly candidates: readonly string[];
}

export interface RouterEffects extends Wakeups {
  send(to: string, message: Message): void;
  /** This node coordinates; `answer` must be called with the outcome. */
  coordinateHere(write: RoutedWrite, remainingMs: number): void;
  finish(stream: number, outcome: WriteOutcome): void;
}

interface Routed {
  readonly write: RoutedWrite;
  readonly deadline: number;
  readonly tried: Set<string>;
  /** Nodes that have the request and may still run it: neither answered nor lost. */
  readonly open: Set<string>;
  /** The node that was asked last. */
  at: string;
  giveUpAt: number;
  /** A node was lost without an answer: it may have begun. */
  doubtful: boolean;
  /** The answer that the client will be given, once no node may run the request any more. */
  answer: WriteOutcome | undefined;
}

export class WriteRouter {
  readonly counters = { forwarded: 0, rerouted: 0 };
  readonly #self: string;
  readonly #reach: Reachability;
  readonly #out: RouterEffects;
  readonly #routed = new Map<number, Routed>();
  readonly #deadlines: DeadlineQueue;

  constructor(self: string, reach: Reachability, out: RouterEffects) {
    this.#self = self;
    this.#reach = reach;
    this.#out = out;
    this.#deadlines = new DeadlineQueue(out, (stream, at) => this.#routed.get(stream)?.giveUpAt === at);
  }

  get inFlight(): number {
    return this.#routed.size;
  }

  start(write: RoutedWrite, now: number): void {
    const deadline = now + write.header.remainingMs;
    const routed: Routed = {
      write,
      deadline,
      tried: new Set(),
      open: new Set(),
      at: '',
      giveUpAt: deadline,
      doubtful: false,
      answer: undefined,
    };
    this.#routed.set(write.stream, routed);
    this.#next(routed, now);
  }

  /** A coordinator's answer, from here or from another node. */
  answer(from: string, stream: number, outcome: WriteOutcome, now: number): void {
    const routed = this.#routed.get(stream);
    if (!routed?.open.delete(from)) return;
    if (outcome.status === 'failed') this.#failed(routed, from, outcome, now);
    else {
      if (routed.answer?.status !== 'ok') routed.answer = outcome;
      this.#settle(routed, now);
    }
  }

  receive(from: string, message: ForwardReplyMessage, now: number): void {
    this.answer(from, message.stream, message.outcome, now);
  }

  unreachable(node: string, now: number): void {
    for (const routed of [...this.#routed.values()]) {
      if (!routed.open.delete(node)) continue;
      routed.doubtful = true;
      if (routed.answer !== undefined || routed.at !== node) this.#settle(routed, now);
      else this.#reroute(routed, now);
    }
  }

  tick(now: number): void {
    this.#deadlines.drain(now, (stream) => {
      const routed = this.#routed.get(stream);
      if (routed === undefined) return;
      if (now < routed.deadline) this.#reroute(routed, now);
      else this.#end(routed, `no coordinator answered in ${routed.write.header.remainingMs} ms`);
    });
  }

  stop(): void {
    for (const routed of [...this.#routed.values()]) {
      this.#finish(routed, { status: 'indeterminate', reason: 'stopping', detail: 'the node is stopping' });
    }
  }

  /** Certainly nothing happened at that node. */
  #failed(routed: Routed, from: string, outcome: WriteOutcome & { readonly status: 'failed' }, now: number): void {
    const isLast = routed.at === from && routed.answer === undefined;
    if (isLast && goesElsewhere(outcome.reason)) this.#next(routed, now, outcome.detail);
    else if (routed.open.size > 0 || routed.answer !== undefined) this.#settle(routed, now);
    else if (routed.doubtful) this.#end(routed, outcome.detail);
    else this.#finish(routed, outcome);
  }

  /** The node that was asked last is silent or gone. */
  #reroute(routed: Routed, now: number): void {
    if (!isRepeatable(routed.write.operation)) return this.#noneLeft(routed, now, `${routed.at} did not answer`);
    this.counters.rerouted++;
    this.#next(routed, now, `${routed.at} did not answer`);
  }

  /** Gives the answer, or waits for the nodes that may still run the request. */
  #settle(routed: Routed, now: number): void {
    if (routed.open.size === 0) this.#end(routed, 'the connection to the coordinator was lost');
    else if (routed.giveUpAt < routed.deadline && routed.answer !== undefined) this.#giveUp(routed, routed.deadline);
    else if (now >= routed.deadline) this.#end(routed, 'no coordinator answered in time');
  }

  #next(routed: Routed, now: number, detail = 'none was asked'): void {
    const { write } = routed;
    const node = write.candidates.find((id) => !routed.tried.has(id) && this.#reach.reachable(id));
    if (node === undefined) {
      this.#noneLeft(routed, now, detail);
      return;
    }
    const mayHaveBegun = routed.doubtful || routed.open.size > 0;
    routed.at = node;
    routed.tried.add(node);
    routed.open.add(node);
    const remainingMs = routed.deadline - now;
    // This node answers by itself in any case; another one is given up when it is silent.
    const patience = node === this.#self ? remainingMs : Math.min(remainingMs * PATIENCE, PATIENCE_MAX_MS);
    this.#giveUp(routed, now + patience);
    const asked = mayHaveBegun ? { ...write, operation: repeated(write.operation) } : write;
    if (node === this.#self) this.#out.coordinateHere(asked, remainingMs);
    else this.#forward(node, asked, remainingMs);
  }

  #giveUp(routed: Routed, at: number): void {
    routed.giveUpAt = at;
    this.#deadlines.schedule(at, routed.write.stream);
  }

  #forward(node: string, write: RoutedWrite, remainingMs: number): void {
    this.counters.forwarded++;
    this.#out.send(node, {
      kind: 'forward',
      stream: write.stream,
      header: { ...write.header, remainingMs: Math.max(1, Math.floor(remainingMs)) },
      consistency: write.consistency,
      address: write.address,
      operation: write.operation,
    });
  }

  /** Nobody else can be asked. Those who have the request may still answer. */
  #noneLeft(routed: Routed, now: number, detail: string): void {
    if (routed.tried.size === 0) {
      const names = routed.write.candidates.join(', ');
      this.#finish(routed, { status: 'failed', reason: 'unreachable', detail: `none of ${names} can be reached` });
    } else if (routed.open.size > 0 && now < routed.deadline) {
      this.#giveUp(routed, routed.deadline);
    } else if (routed.doubtful || routed.open.size > 0) {
      this.#end(routed, `${detail}, and no other coordinator can be reached`);
    } else {
      this.#finish(routed, { status: 'failed', reason: 'refused', detail });
    }
  }

  /** With the answer that there is; without one nobody knows. */
  #end(routed: Routed, detail: string): void {
    this.#finish(routed, routed.answer ?? { status: 'indeterminate', reason: 'quorum', detail });
  }

  #finish(routed: Routed, outcome: WriteOutcome): void {
    if (this.#routed.delete(routed.write.stream)) this.#out.finish(routed.write.stream, outcome);
  }
}

/** A counter must remember for long that the request may be in the sum of another coordinator, too. */
function repeated(operation: WriteOperation): WriteOperation {
  return operation.type === 'add' || operation.type === 'add-float' ? { ...operation, repeated: true } : operation;
}

/** Another node may do what this one would not. */
function goesElsewhere(reason: string): boolean {
  return reason === 'refused' || reason === 'engine' || reason === 'stopping' || reason === 'overload';
}
