/**
 * Virtual time. Events wait in a heap by (time, a drawn number, order of scheduling), so that what is due at one moment happens in
 * an order that the seed decides. After each event all promises that it fulfilled have run, before the next begins: every event is a
 * macrotask of its own. Many of them are queued at once: a turn of the real loop costs more than an event.
 */
import { setImmediate as realSetImmediate } from 'node:timers';
import type { RandomStream } from './random.ts';
import { TraceHash } from './trace-hash.ts';

/** Of the trace hash; the numbers are free, but two kinds differ. */
export const EVENT = {
  timer: 1,
  defer: 2,
  diskDone: 3,
  segment: 4,
  socket: 5,
  task: 6,
  client: 7,
  fault: 8,
  harness: 9,
  command: 10,
} as const;

export type EventKind = (typeof EVENT)[keyof typeof EVENT];

/** Whose event it is, and what: for the trace hash. `node` -1: the harness. */
export interface EventLabel {
  readonly node: number;
  readonly kind: EventKind;
  readonly digest?: number;
}

export interface ScheduledEvent {
  cancelled: boolean;
}

interface QueuedEvent extends ScheduledEvent {
  readonly timeUs: number;
  readonly tie: number;
  readonly order: number;
  readonly label: EventLabel;
  run: (() => void) | undefined;
}

export interface SchedulerOptions {
  readonly random: RandomStream;
  /** Called around the real turns in which nodes run: the world outside must not be touched in between. */
  readonly enter?: () => void;
  readonly leave?: () => void;
}

/** Events that are queued as macrotasks in one turn of the real loop. */
const EVENTS_PER_TURN = 256;

export class Scheduler {
  readonly trace = new TraceHash();
  readonly #random: RandomStream;
  readonly #enter: () => void;
  readonly #leave: () => void;
  readonly #heap: QueuedEvent[] = [];
  #nowUs = 0;
  #order = 0;

  constructor(options: SchedulerOptions) {
    this.#random = options.random;
    this.#enter = options.enter ?? (() => {});
    this.#leave = options.leave ?? (() => {});
  }

  /** Virtual milliseconds since the start, in whole microseconds. */
  get nowMs(): number {
    return this.#nowUs / 1000;
  }

  get pending(): number {
    return this.#heap.length;
  }

  /** Runs `callback` `delayMs` from now, never within this call. */
  after(delayMs: number, label: EventLabel, callback: () => void): ScheduledEvent {
    const event: QueuedEvent = {
      timeUs: this.#nowUs + Math.max(0, Math.ceil(delayMs * 1000)),
      tie: this.#random.uint32(),
      order: this.#order++,
      label,
      run: callback,
      cancelled: false,
    };
    push(this.#heap, event);
    return event;
  }

  cancel(event: ScheduledEvent): void {
    event.cancelled = true;
    (event as QueuedEvent).run = undefined;
  }

  /** Takes note of something that is not an event of its own. */
  note(label: EventLabel): void {
    this.trace.add(this.#nowUs, label.node, label.kind, label.digest ?? 0);
  }

  /** Runs the next event. False when there is none. Throws what it throws. */
  step(): boolean {
    const event = this.#next();
    if (event === undefined) return false;
    this.#nowUs = event.timeUs;
    this.note(event.label);
    event.run?.();
    return true;
  }

  /**
   * Runs events until `condition` holds, looked at before each; answers whether it did, or else nothing is left, or `limitMs` of
   * virtual time have passed. Rejects with what an event throws.
   */
  run(condition: () => boolean, limitMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const limitUs = this.#nowUs + limitMs * 1000;
    return new Promise((resolve, reject) => {
      let result: boolean | undefined;
      let failure: { readonly error: unknown } | undefined;
      const step = (): void => {
        if (result !== undefined || failure !== undefined) return;
        try {
          if (condition()) result = true;
          else if ((this.#peekUs() ?? Number.POSITIVE_INFINITY) > limitUs) {
            if (limitUs !== Number.POSITIVE_INFINITY) this.#nowUs = Math.max(this.#nowUs, limitUs);
            result = false;
          } else this.step();
        } catch (error) {
          failure = { error };
        }
      };
      const turn = (): void => {
        this.#enter();
        for (let i = 0; i < EVENTS_PER_TURN; i++) realSetImmediate(step);
        realSetImmediate(() => {
          this.#leave();
          if (failure !== undefined) reject(failure.error);
          else if (result !== undefined) resolve(result);
          else turn();
        });
      };
      realSetImmediate(turn);
    });
  }

  #peekUs(): number | undefined {
    while (this.#heap[0]?.cancelled) pop(this.#heap);
    return this.#heap[0]?.timeUs;
  }

  #next(): QueuedEvent | undefined {
    this.#peekUs();
    return pop(this.#heap);
  }
}

function before(left: QueuedEvent, right: QueuedEvent): boolean {
  if (left.timeUs !== right.timeUs) return left.timeUs < right.timeUs;
  if (left.tie !== right.tie) return left.tie < right.tie;
  return left.order < right.order;
}

function push(heap: QueuedEvent[], event: QueuedEvent): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const other = heap[parent] as QueuedEvent;
    if (!before(event, other)) break;
    heap[at] = other;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: QueuedEvent[]): QueuedEvent | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as QueuedEvent, heap[child] as QueuedEvent)) child++;
    const other = heap[child] as QueuedEvent;
    if (!before(other, last)) break;
    heap[at] = other;
    at = child;
  }
  heap[at] = last;
  return top;
}
