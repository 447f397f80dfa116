/**
 * Histories of a counter at three coordinators, beside a model that keeps each addition by itself and knows neither sums nor
 * marks: an addition counts until a SET or DEL that had seen it, and each request once.
 */
import fc from 'fast-check';
import { type Actor, makeActor } from '../../src/dot.ts';
import { hybridTimeOf } from '../../src/hybrid-clock.ts';
import type { WriteOperation } from '../../src/messages.ts';
import { applyOperation } from '../../src/operation.ts';
import { type DottedRecord, mergeRecords, winner } from '../../src/record.ts';

const COORDINATORS = 3;
const at = fc.nat({ max: COORDINATORS - 1 });

export const addStep = fc.record({ what: fc.constant('add'), at, amount: fc.integer({ min: -5, max: 9 }) });
export const mergeStep = fc.record({ what: fc.constant('merge'), at, from: at });
/** The request before that one, counted back, is given to another coordinator. */
export const repeatStep = fc.record({ what: fc.constant('repeat'), at, back: fc.nat({ max: 3 }) });
export const setStep = fc.record({ what: fc.constantFrom('set', 'delete'), at, amount: fc.nat({ max: 50 }) });
export type CounterStep =
  | { what: 'add'; at: number; amount: number }
  | { what: 'merge'; at: number; from: number }
  | { what: 'repeat'; at: number; back: number }
  | { what: 'set' | 'delete'; at: number; amount: number };

interface Event {
  readonly name: number;
  /** Of an addition: the request that it comes of. */
  readonly request: number | undefined;
  readonly amount: number | undefined;
  readonly superseded: ReadonlySet<number>;
}

interface Coordinator {
  actor: Actor;
  record: DottedRecord | undefined;
  readonly seen: Set<number>;
}

export class CounterHistory {
  readonly coordinators: Coordinator[] = [];
  readonly states: DottedRecord[] = [];
  readonly #events: Event[] = [];
  readonly #requests: number[] = [];
  #counter = 0;

  constructor(steps: readonly CounterStep[]) {
    for (let i = 0; i < COORDINATORS; i++) {
      const actor = makeActor({ memberNumber: i, tenureHigh: 1, tenureLow: 1 });
      this.coordinators.push({ actor, record: undefined, seen: new Set() });
    }
    for (const step of steps) this.#step(step);
  }

  #step(step: CounterStep): void {
    const here = this.coordinators[step.at] as Coordinator;
    if (step.what === 'merge') this.merge(here, this.coordinators[step.from] as Coordinator);
    else if (step.what === 'add') this.#add(here, this.#requests.push(step.amount) - 1, false);
    else if (step.what === 'repeat') this.#add(here, this.#requests.length - 1 - step.back, true);
    else this.#set(here, step.what === 'set' ? step.amount : undefined);
    if (here.record !== undefined) this.states.push(here.record);
  }

  merge(here: Coordinator, there: Coordinator): void {
    if (there.record === undefined) return;
    here.record = here.record === undefined ? there.record : mergeRecords(here.record, there.record);
    for (const name of there.seen) here.seen.add(name);
  }

  #add(here: Coordinator, request: number, repeated: boolean): void {
    const amount = this.#requests[request];
    if (amount === undefined) return;
    const operation = { type: 'add', delta: BigInt(amount), ...(repeated && { repeated: true }) } as const;
    if (this.#run(here, operation, request)) this.#happened(here, { request, amount, superseded: new Set() });
  }

  #set(here: Coordinator, amount: number | undefined): void {
    const value = Buffer.from(String(amount));
    const operation: WriteOperation =
      amount === undefined ? { type: 'delete', supersedes: 'held' } : { type: 'put', value, supersedes: 'held' };
    const superseded = new Set(here.seen);
    if (this.#run(here, operation, 1e6 + this.#counter))
      this.#happened(here, { request: undefined, amount, superseded });
  }

  /** True when there was something to write. */
  #run(here: Coordinator, operation: WriteOperation, n: number): boolean {
    const before = here.record;
    const stamp = () => ({
      dot: { actor: here.actor, counter: ++this.#counter },
      hybridTime: hybridTimeOf(this.#counter),
    });
    const requestId = { entry: 'n1', incarnation: 1, n };
    const applied = applyOperation(before, operation, { stamp, nowMs: 0, requestId, valueBytesMax: 100 });
    if ('rejected' in applied) throw new Error(applied.rejected);
    here.record = applied.record ?? before;
    return applied.record !== undefined && applied.record !== before;
  }

  #happened(here: Coordinator, event: Omit<Event, 'name'>): void {
    const name = this.#events.push({ ...event, name: this.#events.length }) - 1;
    for (const each of event.superseded) here.seen.add(each);
    here.seen.add(name);
  }

  /** By the model, what a reader of this coordinator's state is shown; undefined: absent. */
  expected({ seen }: Coordinator): string | undefined {
    const events = [...seen].sort((left, right) => left - right).map((name) => this.#events[name] as Event);
    const gone = new Set(events.flatMap(({ superseded }) => [...superseded]));
    const standing = events.filter(({ name }) => !gone.has(name));
    const additions = new Map<number, number>();
    for (const { request, amount } of standing) if (request !== undefined) additions.set(request, amount as number);
    const base = standing.filter(({ request }) => request === undefined).at(-1)?.amount;
    if (base === undefined && additions.size === 0) return undefined;
    return String([...additions.values()].reduce((sum, amount) => sum + amount, base ?? 0));
  }

  shown({ record }: Coordinator): string | undefined {
    const value = record === undefined ? undefined : winner(record);
    return value === undefined ? undefined : Buffer.from(value.bytes).toString();
  }

  /** All have all. */
  settle(): void {
    for (const here of this.coordinators) for (const there of this.coordinators) this.merge(here, there);
    for (const here of this.coordinators) for (const there of this.coordinators) this.merge(here, there);
  }
}
