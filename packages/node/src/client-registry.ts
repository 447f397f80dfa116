/** The clients of one node, and what is counted over all of them. */
import { ScanMemory } from './commands/scan-cursor.ts';
import { type LiveSettings, liveSettings } from './live-settings.ts';
import { CommandStats } from './command-stats.ts';
import { SlowLog } from './slow-log.ts';
import type { Session } from './session.ts';
import { TimeHistogram } from './time-histogram.ts';

export class ClientRegistry {
  /** By id, in the order in which they came. */
  readonly #sessions = new Map<number, Session>();
  /** How long commands took, by kind. */
  readonly times = { read: new TimeHistogram(), write: new TimeHistogram(), other: new TimeHistogram() };
  #lastId = 0;
  connectionsReceived = 0;
  connectionsRefused = 0;
  commandsProcessed = 0;
  bytesReceived = 0;
  bytesSent = 0;
  errorReplies = 0;
  /** AUTH and HELLO with a wrong name or password. */
  authFailures = 0;
  /** What CONFIG SET has set at this node. */
  readonly settings: LiveSettings = liveSettings();
  /** What took long here. */
  readonly slowLog = new SlowLog(this.settings);
  readonly commandStats = new CommandStats();
  /** Where the scans of clients are. */
  readonly scans = new ScanMemory();

  nextId(): number {
    return ++this.#lastId;
  }

  add(session: Session): void {
    this.connectionsReceived++;
    this.#sessions.set(session.id, session);
  }

  remove(session: Session): void {
    this.#sessions.delete(session.id);
  }

  get size(): number {
    return this.#sessions.size;
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** CONFIG RESETSTAT. */
  resetCounters(): void {
    this.connectionsReceived = 0;
    this.connectionsRefused = 0;
    this.commandsProcessed = 0;
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.errorReplies = 0;
    this.commandStats.clear();
  }

  get(id: number): Session | undefined {
    return this.#sessions.get(id);
  }
}
