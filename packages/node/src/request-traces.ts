/**
 * What KVD.EXPLAIN tells of a request: the messages that travelled for it and what became of them, noted where the driver
 * carries them out. The machines know nothing of it, and a request that is not traced pays for one comparison.
 *
 * A request is traced when its header names a trace; every message that is sent for it repeats the header, and replies are
 * found by their stream. A node that coordinates a forwarded write notes its own part, and the reply brings it along.
 */
import {
  decodeTrustedRecord,
  type Message,
  type RequestHeader,
  type TraceStep,
  type TraceWord,
} from '@kvd/replication';

/** A request of many replicas and retries is told so far. */
const STEPS_MAX = 200;
/** Traces that are open at once; more are not kept. */
const TRACES_MAX = 256;

type StepDetails = Partial<Pick<TraceStep, 'role' | 'note'>> & { readonly record?: Uint8Array | undefined };

/** What one other node noted of the request. */
export interface RelayedSteps {
  readonly by: string;
  readonly steps: readonly TraceStep[];
}

/** The steps of one request, at one node. */
export class Trace {
  readonly steps: TraceStep[] = [];
  readonly relayed: RelayedSteps[] = [];
  readonly startedMs: number;
  /** Steps that were not kept. */
  dropped = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.startedMs = now();
  }

  get elapsedUs(): number {
    return Math.max(0, Math.round((this.#now() - this.startedMs) * 1000));
  }

  note(word: TraceWord, node: string, { role = 'none', note = '', record }: StepDetails = {}): void {
    if (this.steps.length >= STEPS_MAX) {
      this.dropped++;
      return;
    }
    this.steps.push({ atUs: this.elapsedUs, word, node, role, note, ...contentOf(record) });
  }
}

/** A record that cannot be decoded was refused by whoever got it: its content is not told. */
function contentOf(record: Uint8Array | undefined): Pick<TraceStep, 'context' | 'siblings'> {
  if (record === undefined) return { context: undefined, siblings: 0 };
  try {
    const { context, values } = decodeTrustedRecord(record);
    return { context: context.encode(), siblings: values.length };
  } catch {
    return { context: undefined, siblings: 0 };
  }
}

interface OpenTrace {
  readonly key: string;
  readonly trace: Trace;
  readonly address: Uint8Array;
  readonly streams: Set<number>;
  /** Nodes that have been sent something and have not answered. */
  readonly awaited: Set<string>;
}

export class RequestTraces {
  readonly #self: string;
  readonly #open = new Map<string, OpenTrace>();
  readonly #byStream = new Map<number, OpenTrace>();

  constructor(self: string) {
    this.#self = self;
  }

  /** Nothing is traced: nothing needs to be told here. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  begin(header: RequestHeader, address: Uint8Array, trace: Trace): void {
    const key = keyOf(header);
    if (header.traceId === 0 || this.#open.size >= TRACES_MAX || this.#open.has(key)) return;
    this.#open.set(key, { key, trace, address, streams: new Set(), awaited: new Set() });
  }

  /** Nothing more is noted in it. */
  end(trace: Trace): void {
    for (const open of this.#open.values()) if (open.trace === trace) this.#close(open);
  }

  /** Ends this node's part in a request of another node: its steps, as far as they came. */
  finish(header: RequestHeader): readonly TraceStep[] | undefined {
    const open = this.#open.get(keyOf(header));
    if (open === undefined) return undefined;
    this.#close(open);
    return open.trace.steps;
  }

  /** This node coordinates the write under that stream. */
  coordinates(header: RequestHeader, stream: number, note: string): void {
    const open = this.#open.get(keyOf(header));
    if (open === undefined) return;
    this.#link(open, stream);
    open.trace.note('coordinates', this.#self, { note });
  }

  /** The local replica has been given the operation; hints for these owners go into the same batch. */
  operation(stream: number, hintFor: readonly string[]): void {
    const open = this.#byStream.get(stream);
    for (const node of hintFor) open?.trace.note('hint', node, { note: 'in the batch of the write' });
  }

  merged(stream: number, state: Uint8Array): void {
    this.#byStream.get(stream)?.trace.note('merged', this.#self, { record: state });
  }

  stored(stream: number, error: Error | undefined): void {
    const trace = this.#byStream.get(stream)?.trace;
    if (error === undefined) trace?.note('stored', this.#self);
    else trace?.note('refused', this.#self, { note: error.message });
  }

  hint(target: string, address: Uint8Array): void {
    for (const open of this.#open.values()) {
      if (Buffer.compare(open.address, address) === 0)
        open.trace.note('hint', target, { note: `kept by ${this.#self}` });
    }
  }

  lost(node: string): void {
    for (const { awaited, trace } of this.#open.values()) {
      if (awaited.delete(node)) trace.note('lost', node, { note: 'the connection went' });
    }
  }

  sending(to: string, message: Message): void {
    if (message.kind !== 'fetch' && message.kind !== 'replicate' && message.kind !== 'forward') return;
    const open = this.#open.get(keyOf(message.header));
    if (open === undefined) return;
    const { trace } = open;
    if (message.kind === 'replicate' && message.purpose === 'repair') return trace.note('repaired', to);
    this.#link(open, message.stream);
    open.awaited.add(to);
    if (message.kind === 'fetch') return trace.note('asked', to);
    if (message.kind === 'forward') return trace.note('forwarded', to);
    const { hintFor } = message;
    if (hintFor === undefined) trace.note('sent', to, { role: 'owner' });
    else trace.note('sent', to, { role: 'fallback', note: `to be kept for ${hintFor}` });
  }

  receiving(from: string, message: Message): void {
    if (message.kind !== 'fetch-reply' && message.kind !== 'replicate-reply' && message.kind !== 'forward-reply')
      return;
    const open = this.#byStream.get(message.stream);
    if (open === undefined) return;
    open.awaited.delete(from);
    const { trace } = open;
    if (message.kind === 'forward-reply') {
      if (message.trace !== undefined) trace.relayed.push({ by: from, steps: message.trace });
      return trace.note('answered', from);
    }
    if (message.status === 'refused') return trace.note('refused', from, { note: message.reason });
    if (message.kind === 'replicate-reply') return trace.note('stored', from);
    const [record] = message.records;
    const { role } = message;
    trace.note('answered', from, {
      role,
      record,
      note: message.doubt ? 'in doubt: it may have lost the end of its log' : '',
    });
  }

  #close(open: OpenTrace): void {
    for (const stream of open.streams) this.#byStream.delete(stream);
    this.#open.delete(open.key);
  }

  #link(open: OpenTrace, stream: number): void {
    open.streams.add(stream);
    this.#byStream.set(stream, open);
  }
}

function keyOf({ id, traceId }: RequestHeader): string {
  return `${id.entry}.${traceId}`;
}
