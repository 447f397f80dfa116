/**
 * Joins the machines to the world: an event comes in, a machine decides, its effects are carried out.
 *
 *   transport ──► receive ─┐                    ┌─► transport.send
 *   commands  ──► read     ├─► machine ─► sink ─┼─► replica (own share, by direct call)
 *   alarm     ──► tick     │                    ├─► done callbacks of requests
 *   replica   ──► merged…  ┘                    └─► alarm.at
 *
 * One event runs to its end before the next: what a machine sends to this very node waits in `#turn` until the machine has
 * returned, so that none is entered twice.
 */
import {
  type AntiEntropy,
  buildsOnHeld,
  type CoordinateRequest,
  checkConsistency,
  type HintedHandoff,
  type Membership,
  type Message,
  ReadCoordinator,
  type ReadOutcome,
  type ReadRequest,
  type RequestHeader,
  slotOfAddress,
  WriteCoordinator,
  type WriteOutcome,
  wallMsOf,
} from '@kvd/replication';
import { preferenceList } from '@kvd/ring';
import { Alarm } from './alarm.ts';
import { backgroundMachines } from './background-machines.ts';
import { type CountRequest, CopyCounter } from './copy-counter.ts';
import type { NodeParts } from './node-parts.ts';
import { isAddress } from './replica/known-address.ts';
import { ENGINE_FAILED, IN_FLIGHT_MAX, NOT_UNDERSTOOD, OVERLOADED, STALE, STOPPING } from './refusals.ts';
import { firstRequestNumber, RequestMemory } from './request-memory.ts';
import { RequestTraces, Trace } from './request-traces.ts';
import { type ScanOutcome, ScanReader, type ScanRequest } from './scan-reader.ts';
import { STREAM_BACKGROUND, STREAM_FORWARD, STREAM_READ, STREAM_WRITE, streamKind, Streams } from './streams.ts';
import { FORWARD_AGE_MAX_MS, type RoutedWrite, WriteRouter } from './write-router.ts';
import { Turn } from './turn.ts';
import type { Origin } from './write-origin.ts';

/** Requests are remembered this long after they began: longer than any of them may take. */
const REMEMBER_MS = 60_000;

export class Driver {
  readonly membership: Membership;
  readonly handoff: HintedHandoff;
  readonly antiEntropy: AntiEntropy;
  readonly writes: WriteCoordinator;
  readonly reads: ReadCoordinator;
  readonly router: WriteRouter;
  readonly scans: ScanReader;
  readonly copies: CopyCounter;
  readonly traces: RequestTraces;
  readonly #parts: NodeParts;
  readonly #alarm: Alarm;
  readonly #streams = new Streams();
  readonly #memory = new RequestMemory(REMEMBER_MS);
  readonly #origins = new Map<number, Origin>();
  readonly #readers = new Map<number, (outcome: ReadOutcome) => void>();
  readonly #writers = new Map<number, (outcome: WriteOutcome) => void>();
  readonly #turn = new Turn();
  #stopped = false;
  #nextRequest: number;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { self, runtime } = parts;
    this.#nextRequest = firstRequestNumber(runtime.secrets);
    this.traces = new RequestTraces(self);
    this.#alarm = new Alarm(runtime.clock, runtime.timers, () => this.tick());
    const reach = { reachable: (node: string) => this.reachable(node) };
    const out = {
      send: (to: string, message: Message) => this.#send(to, message),
      wakeAt: (at: number) => this.#alarm.at(at),
    };
    const background = {
      out,
      reach,
      random: runtime.random,
      store: parts.store,
      nextStream: () => this.#streams.next(STREAM_BACKGROUND),
      header: (remainingMs: number) => this.header(remainingMs),
    };
    const { membership, handoff, antiEntropy } = backgroundMachines(parts, background);
    this.membership = membership;
    this.handoff = handoff;
    this.antiEntropy = antiEntropy;
    this.writes = new WriteCoordinator({
      self,
      reach,
      out: {
        ...out,
        coordinate: (stream, request) => this.#turn.run(() => this.#coordinate(stream, request)),
        keepHint: (target, address, record) => this.#keepHint(target, address, record),
        finish: (stream, outcome) => this.#finishWrite(stream, outcome),
      },
    });
    this.reads = new ReadCoordinator({
      self,
      reach,
      out: { ...out, finish: (stream, outcome) => this.#finishRead(stream, outcome) },
    });
    const asking = {
      out,
      reachable: reach.reachable,
      nextStream: background.nextStream,
      header: background.header,
    };
    this.scans = new ScanReader({ ...asking, self, ring: () => this.#parts.ring });
    this.copies = new CopyCounter(asking);
    this.router = new WriteRouter(self, reach, {
      ...out,
      coordinateHere: (write, remainingMs) => this.#turn.run(() => this.#coordinateHere(write, remainingMs)),
      finish: (stream, outcome) => this.#finishRouted(stream, outcome),
    });
  }

  get inFlight(): number {
    return this.#readers.size + this.#writers.size + this.#origins.size;
  }

  /** A node is reachable while a connection to it stands; this node always is, unless its engine takes no writes. */
  reachable(node: string): boolean {
    return node === this.#parts.self ? !this.#stopped && !this.#parts.failed() : this.#parts.transport.reachable(node);
  }

  now(): number {
    return this.#parts.runtime.clock.monotonicMs();
  }

  header(remainingMs: number): RequestHeader {
    return {
      id: { entry: this.#parts.self, incarnation: this.#parts.incarnation, n: this.#nextRequest++ },
      remainingMs,
      ringEpoch: this.#parts.ring.epoch,
      slotPhase: 0,
      keyspace: 0,
      keyspaceVersion: 1,
      traceId: 0,
    };
  }

  /** Runs a coordinated read from here. */
  read(request: Omit<ReadRequest, 'stream'>, done: (outcome: ReadOutcome) => void): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) return done(refusal);
    const stream = this.#streams.next(STREAM_READ);
    this.#readers.set(stream, done);
    this.#turn.run(() => this.reads.start({ ...request, stream }, this.now()));
  }

  /** A page of keys, of R owners. */
  scan(request: ScanRequest, done: (outcome: ScanOutcome) => void): void {
    if (this.#stopped) return done(STOPPING);
    this.#turn.run(() => this.scans.start(request, this.now(), done));
  }

  /** Which owners hold a record. */
  countCopies(request: CountRequest, done: (holders: ReadonlySet<string>) => void): void {
    if (this.#stopped) return done(new Set());
    this.#turn.run(() => this.copies.start(request, this.now(), done));
  }

  /** Routes a write to its coordinator. */
  write(write: Omit<RoutedWrite, 'stream'>, done: (outcome: WriteOutcome) => void): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) return done(refusal);
    const stream = this.#streams.next(STREAM_FORWARD);
    this.#writers.set(stream, done);
    this.#turn.run(() => this.router.start({ ...write, stream }, this.now()));
  }

  /** Why this node takes no request now. */
  #refusal(): typeof STOPPING | typeof OVERLOADED | undefined {
    if (this.#stopped) return STOPPING;
    return this.#isOverloaded() ? OVERLOADED : undefined;
  }

  #isOverloaded(): boolean {
    return this.inFlight >= IN_FLIGHT_MAX;
  }

  /** A message from another node, sent at that hybrid time. */
  receive(from: string, message: Message, sentAt: number): void {
    if (this.#stopped) return;
    this.#turn.run(() => {
      if (message.kind === 'forward' && this.#isStale(sentAt)) this.#refuseStale(from, message.stream);
      else this.#dispatch(from, message);
    });
  }

  connected(node: string): void {
    this.#turn.run(() => {
      this.handoff.reachable(node, this.now());
      this.antiEntropy.memberReturned(node, this.now());
    });
  }

  disconnected(node: string): void {
    this.#turn.run(() => {
      const now = this.now();
      this.traces.lost(node);
      this.writes.unreachable(node, now);
      this.reads.unreachable(node, now);
      this.router.unreachable(node, now);
      this.scans.unreachable(node, now);
      this.handoff.unreachable(node, now);
    });
  }

  tick(): void {
    if (this.#stopped) return;
    this.#turn.run(() => {
      const now = this.now();
      this.membership.tick(now);
      this.handoff.tick(now);
      this.antiEntropy.tick(now);
      this.writes.tick(now);
      this.reads.tick(now);
      this.scans.tick(now);
      this.copies.tick(now);
      // After what the coordinator here has just decided has reached the router: it knows more than "no answer".
      this.#turn.run(() => this.router.tick(now));
    });
  }

  stop(): void {
    if (this.#stopped) return;
    this.#turn.run(() => {
      this.writes.stop(this.now());
      this.reads.stop(this.now());
      this.router.stop();
      this.scans.stop();
      this.copies.stop();
    });
    this.#stopped = true;
    this.#alarm.stop();
  }

  #send(to: string, message: Message): void {
    if (!this.traces.isIdle) this.traces.sending(to, message);
    if (to === this.#parts.self) this.#turn.run(() => this.#dispatch(to, message));
    else this.#parts.transport.send(to, message);
  }

  #dispatch(from: string, message: Message): void {
    const now = this.now();
    if (!this.traces.isIdle) this.traces.receiving(from, message);
    switch (message.kind) {
      case 'replicate':
        return this.#parts.replica.replicate(message, (reason) =>
          this.#send(from, {
            kind: 'replicate-reply',
            stream: message.stream,
            status: reason === '' ? 'stored' : 'refused',
            reason,
          }),
        );
      case 'fetch':
        return this.#send(from, {
          kind: 'fetch-reply',
          stream: message.stream,
          ...this.#parts.replica.fetch(message.addresses),
        });
      case 'replicate-reply':
        if (streamKind(message.stream) === STREAM_WRITE) return this.writes.receive(from, message, now);
        if (streamKind(message.stream) !== STREAM_BACKGROUND) return;
        this.copies.receive(from, message);
        this.handoff.receive(from, message, now);
        return this.antiEntropy.receive(from, message, now);
      case 'fetch-reply':
        if (streamKind(message.stream) === STREAM_WRITE) return this.writes.receive(from, message, now);
        return this.reads.receive(from, message, now);
      case 'scan':
        return this.#send(from, { kind: 'scan-reply', stream: message.stream, ...this.#parts.replica.scan(message) });
      case 'scan-reply':
        return this.scans.receive(from, message, now);
      case 'forward':
        return this.#coordinateFor(from, message.stream, message);
      case 'forward-reply':
        return this.router.receive(from, message, now);
      case 'gossip':
      case 'gossip-reply':
        return this.membership.receive(from, message, now);
      default:
        return this.antiEntropy.receive(from, message, now);
    }
  }

  /** This node was paused, or the link was: by now another node may have run the write, and its client written again. */
  #isStale(sentAt: number): boolean {
    return this.#parts.runtime.clock.wallMs() - wallMsOf(sentAt) > FORWARD_AGE_MAX_MS;
  }

  #refuseStale(from: string, stream: number): void {
    this.#parts.runtime.probe?.('stale-forward');
    this.#send(from, { kind: 'forward-reply', stream, outcome: STALE });
  }

  #coordinateFor(from: string, stream: number, message: Omit<RoutedWrite, 'stream' | 'candidates'>): void {
    const { address, consistency, header } = message;
    if (!isAddress(address) || checkConsistency(consistency, this.#parts.ring.members.length) !== undefined) {
      return this.#send(from, { kind: 'forward-reply', stream, outcome: NOT_UNDERSTOOD });
    }
    const known = this.#memory.begin(header.id, this.now());
    if (known === 'running') return;
    if (known !== 'new') return this.#send(from, { kind: 'forward-reply', stream, outcome: known });
    if (header.traceId !== 0) this.traces.begin(header, address, new Trace(() => this.now()));
    this.#startWrite(message, header, { from, stream, header });
  }

  #coordinateHere(write: RoutedWrite, remainingMs: number): void {
    this.#startWrite(write, { ...write.header, remainingMs }, { from: undefined, routerStream: write.stream });
  }

  #startWrite(write: Omit<RoutedWrite, 'stream' | 'candidates'>, header: RequestHeader, origin: Origin): void {
    const { ring, self, replica } = this.#parts;
    if (this.#parts.failed()) return this.#tell(origin, ENGINE_FAILED);
    if (this.#isOverloaded()) return this.#tell(origin, OVERLOADED);
    const { address, consistency, operation } = write;
    const stream = this.#streams.next(STREAM_WRITE);
    this.#origins.set(stream, origin);
    const { owners, fallbacks } = preferenceList(ring, slotOfAddress(address), consistency.n);
    const preRead = buildsOnHeld(operation) && replica.needsPreRead(address, owners[0] === self, operation);
    if (!this.traces.isIdle) this.traces.coordinates(header, stream, preRead ? 'asks others first' : '');
    this.writes.start({ stream, header, consistency, address, operation, row: owners, fallbacks, preRead }, this.now());
  }

  #coordinate(stream: number, request: CoordinateRequest): void {
    if (!this.traces.isIdle) this.traces.operation(stream, request.hintFor);
    this.#parts.replica.coordinate(request, {
      merged: (state, context, result) =>
        this.#turn.run(() => {
          if (!this.traces.isIdle) this.traces.merged(stream, state);
          this.writes.merged(stream, state, context, this.now(), result);
        }),
      unchanged: (context, result) => this.#turn.run(() => this.writes.unchanged(stream, context, result)),
      failed: (reason, detail) =>
        this.#turn.run(() => this.writes.coordinateFailed(stream, reason, detail, this.now())),
      stored: (error) =>
        this.#turn.run(() => {
          if (!this.traces.isIdle) this.traces.stored(stream, error);
          this.writes.stored(stream, error, this.now());
        }),
    });
  }

  #keepHint(target: string, address: Uint8Array, record: Uint8Array): void {
    if (!this.traces.isIdle) this.traces.hint(target, address);
    this.#parts.replica.keepHint(target, address, record, (error) => {
      if (error === undefined) this.#turn.run(() => this.handoff.added(target, this.now()));
    });
  }

  #finishWrite(stream: number, outcome: WriteOutcome): void {
    const origin = this.#origins.get(stream);
    if (origin === undefined) return;
    this.#origins.delete(stream);
    this.#tell(origin, outcome);
  }

  #tell(origin: Origin, outcome: WriteOutcome): void {
    if (origin.from === undefined) {
      const { routerStream } = origin;
      this.#turn.run(() => this.router.answer(this.#parts.self, routerStream, outcome, this.now()));
      return;
    }
    this.#memory.end(origin.header.id, outcome);
    const trace = this.traces.isIdle ? undefined : this.traces.finish(origin.header);
    const traced = trace === undefined ? undefined : { trace };
    this.#send(origin.from, { kind: 'forward-reply', stream: origin.stream, outcome, ...traced });
  }

  #finishRouted(stream: number, outcome: WriteOutcome): void {
    const done = this.#writers.get(stream);
    this.#writers.delete(stream);
    done?.(outcome);
  }

  #finishRead(stream: number, outcome: ReadOutcome): void {
    const done = this.#readers.get(stream);
    this.#readers.delete(stream);
    done?.(outcome);
  }
}
