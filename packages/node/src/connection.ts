/**
 * One client: bytes become commands, commands run side by side, replies leave in the order of their requests.
 *
 *   socket ─► decoder ─► pump: an entry per command ─► handler … reply(value)
 *                             │ FIFO of entries                  │
 *   socket ◄─ one write ◄─ flush: the finished ones at its head ◄┘
 *
 * Invariants: replies are in request order; commands that share a key take effect in that order too (key-order.ts); at most
 * IN_FLIGHT_MAX commands are unanswered; nothing more is started while OUTPUT_PAUSE_BYTES wait to be sent, and the socket is
 * not read then. How much replies may weigh is for the commands to say: what they were allowed to produce is delivered, to a
 * client that takes it. One that leaves more than OUTPUT_BYTES_MAX waiting and takes nothing for OUTPUT_STALL_MS is cut off.
 * The socket gets WRITE_BYTES at a time, so that it can be seen whether the client takes any. After a protocol error what came before it is answered, then
 * the error is told and the connection ends.
 */
import { type Call, isReadOnly, keysOf } from './commands/command-row.ts';
import { type Resolved, resolve, run } from './commands/dispatch.ts';
import { NodeError } from './errors.ts';
import {
  EXPECTED_BYTES_MAX,
  IN_FLIGHT_MAX,
  OUTPUT_BYTES_MAX,
  OUTPUT_PAUSE_BYTES,
  OUTPUT_STALL_MS,
  REQUEST_LIMITS,
  STRANGER_LIMITS,
  STRANGER_OUTPUT_BYTES,
  WRITE_BYTES,
} from './limits.ts';
import { KeyOrder, keyHashes, type Ordered } from './key-order.ts';
import { type Command, RespDecoder } from './resp/decoder.ts';
import type { RespProtocol, RespWriter } from './resp/encoder.ts';
import { isHttp } from './resp/http.ts';
import { failure, isFailure, type RespValue, weightOf } from './resp/value.ts';
import type { Socket } from './runtime.ts';
import type { ConsistencyOverrides, NodeServices } from './services.ts';
import type { Session } from './session.ts';

/** A reply is expected to be as large as those before; of a new connection nothing is known, so it begins carefully. */
const FIRST_EXPECTED_BYTES = 2 * 1024 * 1024;

/** How long the other end may take to close after we have; and how often it is looked at while it still takes bytes. */
const LINGER_MS = 250;
/** A client that takes no bytes for so many looks is given up. */
const LINGER_LOOKS = 40;

const SECRET_COMMANDS = new Set(['auth', 'hello', 'config|set']);
const NO_HASHES: readonly number[] = [];
const HTTP_REFUSAL = failure('ERR kvd: this port speaks the Redis protocol (RESP), not HTTP; try redis-cli or kvctl');

export interface ConnectionOwner {
  readonly services: NodeServices;
  /** Shared by all connections: what is written is taken at once. */
  readonly writer: RespWriter;
  /** Calls `flush` once, later in this turn. */
  flushLater(connection: Connection): void;
  /** The client has given the password, or has taken that back. */
  authenticationChanged(connection: Connection): void;
  closed(connection: Connection): void;
}

/** One command on its way; it is the call that its handler is given. */
class Entry implements Call, Ordered {
  readonly #connection: Connection;
  readonly services: NodeServices;
  readonly session: Session;
  readonly args: Command;
  readonly resolved: Resolved;
  readonly overrides: ConsistencyOverrides | undefined = undefined;
  readonly local = false;
  readonly reply = (value: RespValue): void => this.#connection.answered(this, value);
  keyHashes: readonly number[] = NO_HASHES;
  writes = false;
  waitsFor = 0;
  followers: Ordered[] | undefined = undefined;
  ordered = false;
  value: RespValue | undefined = undefined;
  weight = 0;
  /** When it came, monotonic ms. */
  startedMs = 0;
  protocol: RespProtocol;
  /** By CLIENT REPLY: nothing is sent. */
  silent = false;

  constructor(connection: Connection, services: NodeServices, args: Command) {
    this.#connection = connection;
    this.services = services;
    this.session = connection.session;
    this.args = args;
    this.resolved = resolve(args);
    this.protocol = this.session.protocol;
    this.startedMs = this.session.lastActiveMs;
  }

  order(): void {
    const { row } = this.resolved;
    if (row === undefined) return;
    const keys = keysOf(row, this.args);
    if (keys.length === 0) return;
    this.keyHashes = keyHashes(keys);
    this.writes = !isReadOnly(row);
    this.ordered = true;
  }
}

export class Connection {
  /** By the owner: it is on its list. */
  isFlushAwaited = false;
  readonly session: Session;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #decoder = new RespDecoder();
  readonly #order = new KeyOrder();
  /** Unanswered or unsent, by age: live from `#head` on. */
  #entries: Entry[] = [];
  #head = 0;
  /** Answered, behind one that is not. */
  #waitingBytes = 0;
  /** Encoded, and not given to the socket yet. */
  #unsent: Uint8Array | undefined;
  /** Times that the client has taken all that the socket had. */
  #drains = 0;
  #isWatched = false;
  #expectedBytes = FIRST_EXPECTED_BYTES;
  #pumping = false;
  #paused = false;
  #inputEnded = false;
  #outputEnded = false;
  #closed = false;
  #lastWords: RespValue | undefined;
  /** As the owner knows it. */
  #isAuthenticated: boolean;

  constructor(owner: ConnectionOwner, socket: Socket, session: Session) {
    this.#owner = owner;
    this.#socket = socket;
    this.session = session;
    this.#isAuthenticated = session.authenticated;
    session.kill = () => this.destroy();
    if (!session.authenticated) this.#decoder.limits = STRANGER_LIMITS;
    socket.handle({
      data: (chunk) => this.#received(chunk),
      drained: () => this.#drained(),
      ended: () => this.#ended(),
      closed: () => this.#gone(),
    });
  }

  /** Commands that are not answered or whose answer is not on its way. */
  get inFlight(): number {
    return this.#entries.length - this.#head;
  }

  /** Takes no more commands, answers those taken, ends. */
  finish(): void {
    this.session.closing = true;
    this.flush();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** A handler has answered. What a bug says twice, or what comes when the client has gone, is dropped. */
  answered(entry: Entry, value: RespValue): void {
    if (entry.value !== undefined || this.#closed) return;
    if (isFailure(value)) this.session.clients.errorReplies++;
    entry.value = value;
    this.#measure(entry);
    entry.weight = weightOf(value);
    this.#waitingBytes += entry.weight;
    this.#expectedBytes = Math.max(entry.weight, this.#expectedBytes * 0.75);
    if (entry.ordered) this.#order.leave(entry, (next) => this.#start(next as Entry));
    if (!this.#pumping) this.#owner.flushLater(this);
  }

  #measure(entry: Entry): void {
    const elapsedMs = this.#owner.services.runtime.clock.monotonicMs() - entry.startedMs;
    const { times, slowLog, commandStats } = this.session.clients;
    const { name } = entry.resolved;
    if (name !== '') commandStats.add(name, elapsedMs, isFailure(entry.value as RespValue));
    if (slowLog.isSlow(elapsedMs)) this.#noteSlow(entry, elapsedMs);
    if (!entry.ordered) times.other.observe(elapsedMs);
    else if (entry.writes) times.write.observe(elapsedMs);
    else times.read.observe(elapsedMs);
  }

  /** Passwords are not noted, nor are commands that nobody knows. */
  #noteSlow(entry: Entry, tookMs: number): void {
    const { name, row } = entry.resolved;
    if (row === undefined || SECRET_COMMANDS.has(name)) return;
    const { address, name: clientName, clients } = this.session;
    const wallMs = this.#owner.services.hybridNowMs();
    clients.slowLog.note({ args: entry.args, tookMs, wallMs, address, clientName });
  }

  /** Sends what is answered at the head of the line, in one write; then goes on with what waits. */
  flush(): void {
    this.#send();
    this.#pump();
  }

  #received(chunk: Buffer): void {
    this.session.clients.bytesReceived += chunk.length;
    if (this.session.closing) return;
    this.#decoder.push(chunk);
    this.#pump();
  }

  #ended(): void {
    this.#inputEnded = true;
    this.#pump();
  }

  #gone(): void {
    this.#closed = true;
    this.#entries = [];
    this.#head = 0;
    this.#unsent = undefined;
    this.#owner.closed(this);
  }

  #drained(): void {
    this.#drains++;
    this.#writeOn();
    this.#pump();
  }

  /** Bytes of replies that are there and have not left. */
  get #outputBytes(): number {
    return this.#waitingBytes + (this.#unsent?.length ?? 0) + this.#socket.bufferedBytes;
  }

  /** Starts commands and sends replies until there is nothing to do or something to wait for. */
  #pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    while (this.#takeOne() || this.#send());
    this.#pumping = false;
    if (!this.#closed) this.#settle();
  }

  /** True when a command was started. */
  #takeOne(): boolean {
    if (this.session.closing || !this.#hasRoom()) return false;
    try {
      const args = this.#decoder.next();
      if (args === undefined) return false;
      if (isHttp(args)) this.#refuse(HTTP_REFUSAL);
      else this.#take(args);
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'NODE_BAD_RESP') throw error;
      this.#refuse(failure(`ERR ${error.message}`));
    }
    return true;
  }

  #hasRoom(): boolean {
    const { inFlight } = this;
    const waiting = this.#outputBytes;
    if (!this.#isAuthenticated) return inFlight === 0 && waiting <= STRANGER_OUTPUT_BYTES;
    return (
      inFlight < IN_FLIGHT_MAX &&
      waiting <= OUTPUT_PAUSE_BYTES &&
      (inFlight === 0 || inFlight * this.#expectedBytes <= EXPECTED_BYTES_MAX)
    );
  }

  #take(args: Command): void {
    const { services } = this.#owner;
    const { session } = this;
    session.clients.commandsProcessed++;
    session.lastActiveMs = services.runtime.clock.monotonicMs();
    const entry = new Entry(this, services, args);
    if (entry.resolved.name !== '') session.lastCommand = entry.resolved.name;
    entry.silent = session.replies !== 'on';
    if (session.replies === 'skip') session.replies = 'on';
    this.#entries.push(entry);
    entry.order();
    if (entry.ordered) this.#order.enter(entry);
    if (entry.waitsFor > 0) return;
    this.#start(entry);
    // HELLO answers in the protocol that it sets, and everything before it in the one before.
    entry.protocol = session.protocol;
    if (entry.resolved.name === 'client|reply') entry.silent = session.replies !== 'on';
    if (session.authenticated !== this.#isAuthenticated) this.#authenticationChanged();
  }

  #authenticationChanged(): void {
    this.#isAuthenticated = this.session.authenticated;
    this.#decoder.limits = this.#isAuthenticated ? REQUEST_LIMITS : STRANGER_LIMITS;
    this.#owner.authenticationChanged(this);
  }

  #start(entry: Entry): void {
    if (!this.#closed) run(entry.resolved, entry);
  }

  /** Nothing can be made of what follows: it is answered once all that came before is. */
  #refuse(words: RespValue): void {
    this.session.clients.errorReplies++;
    this.session.closing = true;
    this.#lastWords = words;
  }

  /** True when something was sent. */
  #send(): boolean {
    if (this.#unsent !== undefined) return false;
    const { writer } = this.#owner;
    while (this.#head < this.#entries.length && writer.lengthBytes < OUTPUT_PAUSE_BYTES) {
      const entry = this.#entries[this.#head] as Entry;
      if (entry.value === undefined) break;
      this.#head++;
      this.#waitingBytes -= entry.weight;
      if (!entry.silent) writer.write(entry.value, entry.protocol);
    }
    this.#forget();
    if (this.#lastWords !== undefined && this.inFlight === 0) {
      writer.write(this.#lastWords, this.session.protocol);
      this.#lastWords = undefined;
    }
    if (writer.lengthBytes === 0) return false;
    this.session.clients.bytesSent += writer.lengthBytes;
    this.#unsent = writer.take();
    this.#writeOn();
    return true;
  }

  /** Gives the socket what it takes. A short write is one write; of a long one the rest follows when the client has taken some. */
  #writeOn(): void {
    while (this.#unsent !== undefined) {
      const bytes = this.#unsent;
      const isLast = bytes.length <= WRITE_BYTES;
      this.#unsent = isLast ? undefined : bytes.subarray(WRITE_BYTES);
      if (!this.#socket.write(isLast ? bytes : bytes.subarray(0, WRITE_BYTES))) return;
    }
  }

  /** Lets go of entries that are done, in large steps. */
  #forget(): void {
    if (this.#head === this.#entries.length) this.#entries = [];
    else if (this.#head >= IN_FLIGHT_MAX) this.#entries = this.#entries.slice(this.#head);
    else return;
    this.#head = 0;
  }

  /** After all that could be done was done: reads, or does not; ends, if that was the last. */
  #settle(): void {
    if (this.#outputBytes > OUTPUT_BYTES_MAX) this.#watch();
    const pause = !this.session.closing && !this.#hasRoom();
    if (pause !== this.#paused) {
      this.#paused = pause;
      if (pause) this.#socket.pause();
      else this.#socket.resume();
    }
    const isDone = this.session.closing || (this.#inputEnded && !pause);
    if (isDone && this.inFlight === 0 && this.#unsent === undefined && !this.#outputEnded) {
      this.#outputEnded = true;
      this.#socket.end();
      this.#linger(this.#socket.bufferedBytes, LINGER_LOOKS);
    }
  }

  /** Closes what the other end does not, once it has what was sent to it or takes no more. */
  #linger(buffered: number, looks: number): void {
    this.#owner.services.runtime.timers.set(LINGER_MS, () => {
      if (this.#closed) return;
      const left = this.#socket.bufferedBytes;
      if (left === 0 || looks === 0) this.#socket.destroy();
      else this.#linger(left, left < buffered ? LINGER_LOOKS : looks - 1);
    });
  }

  /** Looks after a while whether the client has taken any of what waits for it. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { timers } = this.#owner.services.runtime;
    const drains = this.#drains;
    timers.set(OUTPUT_STALL_MS, () => {
      this.#isWatched = false;
      if (this.#closed || this.#outputBytes <= OUTPUT_BYTES_MAX) return;
      // What waits for a command that is slow does not wait for the client.
      if (this.#drains === drains && this.#socket.bufferedBytes > 0) this.#overflow(this.#outputBytes);
      else this.#watch();
    });
  }

  #overflow(waiting: number): void {
    const fields = { client: this.session.address, bytes: waiting, limit: OUTPUT_BYTES_MAX };
    this.#owner.services.runtime.log('warn', 'client-output-overflow', fields);
    this.#socket.destroy();
  }
}
