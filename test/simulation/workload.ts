/**
 * Clients. Each is one connection's worth of a program: it enters a node at the command table, waits for the reply or its own
 * timeout, thinks, and goes on, at that node or another. All writes and reads are noted in the history on their way between the
 * commands and the node, where their outcomes are still whole.
 *
 * To plug in another kind of work, add a row to KINDS.
 */
import {
  type Consistency,
  decodeRecord,
  type ReadOutcome,
  type Supersedes,
  siblings,
  VersionVector,
  type WriteOperation,
} from '@kvd/replication';
import { execute } from '../../packages/node/src/commands/dispatch.ts';
import type { RespValue } from '../../packages/node/src/resp/value.ts';
import type { NodeServices, RequestOptions } from '../../packages/node/src/services.ts';
import { Session } from '../../packages/node/src/session.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { Cluster, Machine } from './cluster.ts';
import type { History, WriteRecord } from './history.ts';
import { InvariantViolation } from './invariant.ts';
import type { RandomStream } from './random.ts';
import { EVENT, type Scheduler } from './scheduler.ts';
import { digestOf } from './trace-hash.ts';

export interface WorkloadCounters {
  /** Commands, by how they ended: `ok`, `error`, `lost` (the node died, or said nothing in time). */
  readonly commands: Record<'ok' | 'error' | 'lost', number>;
  /** Commands, by kind. */
  readonly kinds: Record<string, number>;
}

export interface WorkloadOptions {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly acknowledgements: Acknowledgements;
  readonly random: RandomStream;
  readonly clients: number;
  /** Commands to run at least; the clients go on until they are stopped. */
  readonly operations: number;
  readonly thinkMs: number;
  /** Keys that all clients use. Few: many conflicts. */
  readonly sharedKeys: number;
}

/** A reply that takes longer never comes: the client goes on elsewhere. */
const CLIENT_TIMEOUT_MS = 8000;

interface Client {
  readonly number: number;
  machine: Machine | undefined;
  session: Session;
  /** Of the last record read under each key: what a context write may pass. */
  readonly seen: Map<string, VersionVector>;
  keys: number;
}

/** What a kind of work may use. */
interface Step {
  readonly client: Client;
  readonly machine: Machine;
  readonly services: NodeServices;
  readonly done: (reply: RespValue | 'ok' | 'error') => void;
}

interface Kind {
  readonly name: string;
  readonly weight: number;
  run(workload: Workload, step: Step): void;
}

const KINDS: readonly Kind[] = [
  {
    name: 'set-own',
    weight: 5,
    run: (work, step) => work.command(step, 'SET', work.ownKey(step.client), work.value()),
  },
  { name: 'set-shared', weight: 4, run: (work, step) => work.command(step, 'SET', work.sharedKey(), work.value()) },
  { name: 'get', weight: 5, run: (work, step) => work.command(step, 'GET', work.sharedKey()) },
  { name: 'del', weight: 1, run: (work, step) => work.command(step, 'DEL', work.sharedKey()) },
  {
    name: 'mset',
    weight: 1,
    run: (work, step) =>
      work.command(step, 'MSET', work.sharedKey(), work.value(), work.ownKey(step.client), work.value()),
  },
  { name: 'mget', weight: 1, run: (work, step) => work.command(step, 'MGET', work.sharedKey(), work.sharedKey()) },
  {
    name: 'set-one',
    weight: 2,
    run: (work, step) => work.command(step, 'KVD.WITH', 'W', '1', 'SET', work.sharedKey(), work.value()),
  },
  {
    name: 'set-strict',
    weight: 1,
    run: (work, step) => work.command(step, 'KVD.WITH', 'STRICT', 'SET', work.sharedKey(), work.value()),
  },
  {
    name: 'get-strict',
    weight: 1,
    run: (work, step) => work.command(step, 'KVD.WITH', 'STRICT', 'GET', work.sharedKey()),
  },
  {
    name: 'set-all',
    weight: 1,
    run: (work, step) =>
      work.command(step, 'KVD.WITH', 'W', '3', 'R', '3', 'SET', work.ownKey(step.client), work.value()),
  },
  {
    name: 'set-strict-all',
    weight: 3,
    run: (work, step) =>
      work.command(step, 'KVD.WITH', 'STRICT', 'W', '3', 'SET', work.ownKey(step.client), work.value()),
  },
  { name: 'sibling', weight: 3, run: (work, step) => work.write(step, work.sharedKey(), 'nothing') },
  { name: 'sibling-one', weight: 4, run: (work, step) => work.write(step, work.sharedKey(), 'nothing', { w: 1 }) },
  { name: 'read-modify-write', weight: 3, run: (work, step) => work.readModifyWrite(step, work.sharedKey()) },
];

const TOTAL_WEIGHT = KINDS.reduce((sum, kind) => sum + kind.weight, 0);

interface ReadCall {
  readonly key: Uint8Array;
  readonly consistency: Consistency;
  readonly options: RequestOptions | undefined;
}

export class Workload {
  readonly counters: WorkloadCounters = { commands: { ok: 0, error: 0, lost: 0 }, kinds: {} };
  readonly #options: WorkloadOptions;
  readonly #tapped = new WeakMap<NodeServices, NodeServices>();
  #stopped = false;
  #issued = 0;
  #ended = 0;
  #values = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  get issued(): number {
    return this.#issued;
  }

  /** As many commands as were wanted have ended. */
  get isDone(): boolean {
    return this.#ended >= this.#options.operations;
  }

  /** No command is without its reply, save those that will never get one. */
  get isQuiet(): boolean {
    return this.#ended === this.#issued;
  }

  /** No new commands. */
  stop(): void {
    this.#stopped = true;
  }

  start(): void {
    for (let number = 0; number < this.#options.clients; number++) {
      this.#next({ number, machine: undefined, session: new Session(), seen: new Map(), keys: 0 });
    }
  }

  /** Reads the key at a machine, outside of the count. */
  readAt(machine: Machine, key: string, done: (reply: RespValue) => void): void {
    const services = machine.node?.services;
    if (services !== undefined)
      execute(this.#tap(services, machine), new Session(), [Buffer.from('GET'), Buffer.from(key)], done);
  }

  // What kinds of work are made of.

  value(): string {
    const text = `v${this.#values++}.`;
    const { random } = this.#options;
    return random.chance(0.03) ? text.padEnd(random.below(3000), '#') : text;
  }

  sharedKey(): string {
    return `k${this.#options.random.below(this.#options.sharedKeys)}`;
  }

  /** Mostly a new key, else one of this client's. */
  ownKey(client: Client): string {
    const { random } = this.#options;
    const number = client.keys === 0 || random.chance(0.7) ? client.keys++ : random.below(client.keys);
    return `c${client.number}:${number}`;
  }

  command(step: Step, ...words: string[]): void {
    const args = words.map((word) => Buffer.from(word, 'latin1'));
    execute(step.services, step.client.session, args, step.done);
  }

  /** What KVD.PUT does. */
  write(step: Step, key: string, supersedes: Supersedes, overrides: Partial<Consistency> = {}): void {
    const consistency = step.services.consistency(overrides);
    if (typeof consistency === 'string') throw new Error(consistency);
    const operation: WriteOperation = { type: 'put', value: Buffer.from(this.value(), 'latin1'), supersedes };
    step.services.write(Buffer.from(key), operation, consistency, (outcome) =>
      step.done(outcome.status === 'ok' ? 'ok' : 'error'),
    );
  }

  readModifyWrite(step: Step, key: string): void {
    const consistency = step.services.consistency({});
    if (typeof consistency === 'string') throw new Error(consistency);
    step.services.read(Buffer.from(key), consistency, (outcome) => {
      if (outcome.status !== 'ok') return step.done('error');
      const seen = outcome.record === undefined ? VersionVector.EMPTY : decodeRecord(outcome.record).context;
      this.write(step, key, seen.isEmpty ? 'nothing' : seen.encode());
    });
  }

  // The clients' lives.

  #next(client: Client): void {
    const { scheduler, random, thinkMs } = this.#options;
    scheduler.after(random.exponential(thinkMs), { node: -1, kind: EVENT.client, digest: client.number }, () =>
      this.#step(client),
    );
  }

  #step(client: Client): void {
    if (this.#stopped) return;
    const machine = this.#machineFor(client);
    const services = machine?.node?.services;
    if (machine === undefined || services === undefined) return this.#next(client);
    this.#issued++;
    const kind = this.#drawKind();
    this.counters.kinds[kind.name] = (this.counters.kinds[kind.name] ?? 0) + 1;
    this.#run(client, machine, services, kind);
  }

  #run(client: Client, machine: Machine, services: NodeServices, kind: Kind): void {
    const { scheduler } = this.#options;
    let ended = false;
    const end = (how: 'ok' | 'error' | 'lost'): void => {
      if (ended) return;
      ended = true;
      scheduler.cancel(timeout);
      this.#ended++;
      this.counters.commands[how]++;
      if (how === 'lost') client.machine = undefined;
      this.#next(client);
    };
    const timeout = scheduler.after(CLIENT_TIMEOUT_MS, { node: -1, kind: EVENT.client, digest: client.number }, () =>
      end('lost'),
    );
    const done = (reply: RespValue | 'ok' | 'error'): void => {
      scheduler.note({ node: machine.index, kind: EVENT.command, digest: digestOf(textOf(reply)) });
      end(isError(reply) ? 'error' : 'ok');
    };
    kind.run(this, { client, machine, services: this.#tap(services, machine), done });
  }

  #machineFor(client: Client): Machine | undefined {
    const { cluster, random } = this.#options;
    const popular = cluster.up.find(({ isPopular }) => isPopular);
    if (client.machine?.isUp !== true || random.chance(popular === undefined ? 0.1 : 0.5)) {
      const { up } = cluster;
      client.machine = up.length === 0 ? undefined : (popular ?? random.pick(up));
      client.session = new Session();
    }
    return client.machine;
  }

  #drawKind(): Kind {
    let drawn = this.#options.random.below(TOTAL_WEIGHT);
    return KINDS.find((kind) => (drawn -= kind.weight) < 0) as Kind;
  }

  // Between the commands and the node.

  #tap(services: NodeServices, machine: Machine): NodeServices {
    const known = this.#tapped.get(services);
    if (known !== undefined) return known;
    const tapped: NodeServices = {
      config: services.config,
      runtime: services.runtime,
      access: services.access,
      ring: () => services.ring(),
      members: () => services.members(),
      reachable: (id) => services.reachable(id),
      stats: () => services.stats(),
      consistency: (overrides) => services.consistency(overrides),
      hybridNowMs: () => services.hybridNowMs(),
      contextKey: () => services.contextKey(),
      endTrace: (trace) => services.endTrace(trace),
      readLocal: (key) => services.readLocal(key),
      scan: (request, done) => services.scan(request, done),
      scanLocal: (range) => services.scanLocal(range),
      countCopies: (copies, done) => services.countCopies(copies, done),
      read: (key, consistency, done, options) => this.#read(services, machine, { key, consistency, options }, done),
      write: (key, operation, consistency, done, options) => {
        const write = this.#beginWrite(machine, key, operation, consistency);
        services.write(
          key,
          operation,
          consistency,
          (outcome) => {
            this.#options.acknowledgements.ended(write, key, outcome);
            done(outcome);
          },
          options,
        );
      },
    };
    this.#tapped.set(services, tapped);
    return tapped;
  }

  #beginWrite(machine: Machine, key: Uint8Array, operation: WriteOperation, consistency: Consistency): WriteRecord {
    const { history, scheduler } = this.#options;
    if (operation.type !== 'put' && operation.type !== 'delete') throw new Error(`a history of ${operation.type}`);
    const { supersedes } = operation;
    return history.begin({
      key: Buffer.from(key).toString('latin1'),
      value: operation.type === 'put' ? Buffer.from(operation.value).toString('latin1') : undefined,
      supersedes: typeof supersedes === 'string' ? supersedes : VersionVector.decode(supersedes),
      entry: machine.index,
      consistency,
      startMs: scheduler.nowMs,
    });
  }

  #read(
    services: NodeServices,
    machine: Machine,
    { key, consistency, options }: ReadCall,
    done: (outcome: ReadOutcome) => void,
  ): void {
    const { history, scheduler } = this.#options;
    const startMs = scheduler.nowMs;
    const name = Buffer.from(key).toString('latin1');
    services.read(
      key,
      consistency,
      (outcome) => {
        const result = this.#checkRead(name, machine, outcome);
        history.noteRead({ key: name, entry: machine.index, startMs, endMs: scheduler.nowMs, result });
        done(outcome);
      },
      options,
    );
  }

  /** I3, at each read. */
  #checkRead(key: string, machine: Machine, outcome: ReadOutcome): string {
    if (outcome.status !== 'ok') return `${outcome.status} (${outcome.detail})`;
    if (outcome.record === undefined) return 'nothing';
    const record = decodeRecord(outcome.record);
    for (const value of record.values) {
      const write = this.#options.history.writeOf(key, value, `a read at ${machine.id}`);
      if (write !== undefined && write.births.length === 0) {
        throw new InvariantViolation(
          'I3 no invention',
          `a read at ${machine.id} has ${write.value}, which nobody has stored`,
          key,
        );
      }
    }
    const texts = siblings(record).map(({ bytes }) => Buffer.from(bytes).toString('latin1', 0, 24));
    return `[${texts.join(', ')}] ${record.context}`;
  }
}

function isError(reply: RespValue | 'ok' | 'error'): boolean {
  return (
    reply === 'error' || (typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'error')
  );
}

function textOf(reply: RespValue): string {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString('latin1');
  if (Array.isArray(reply)) return reply.map(textOf).join(',');
  return typeof reply === 'object' ? JSON.stringify(reply) : String(reply);
}
