/** What this node has noted of commands that took long: the slow log, and the highest latency of a second, as in Redis. */
import type { LiveSettings } from './live-settings.ts';

/** As Redis: so many words of a command, and so many bytes of each, are kept. */
const WORDS_MAX = 32;
const WORD_BYTES_MAX = 128;
const EVENTS_MAX = 160;

export interface SlowCommand {
  readonly id: number;
  /** Seconds since 1970. */
  readonly atS: number;
  readonly tookUs: number;
  readonly words: readonly Buffer[];
  readonly address: string;
  readonly clientName: string;
}

export interface LatencyEvent {
  /** Seconds since 1970; one event each. */
  readonly atS: number;
  readonly tookMs: number;
}

export interface Finished {
  readonly args: readonly Buffer[];
  readonly tookMs: number;
  readonly wallMs: number;
  readonly address: string;
  readonly clientName: string;
}

export class SlowLog {
  readonly #settings: LiveSettings;
  /** The newest first. */
  #commands: SlowCommand[] = [];
  #events: LatencyEvent[] = [];
  #nextId = 0;

  constructor(settings: LiveSettings) {
    this.#settings = settings;
  }

  /** Whether `note` would note it: cheap, since it is asked of every command. */
  isSlow(tookMs: number): boolean {
    const { slowLogSlowerThanUs, latencyThresholdMs } = this.#settings;
    return (
      (slowLogSlowerThanUs >= 0 && tookMs * 1000 >= slowLogSlowerThanUs) ||
      (latencyThresholdMs > 0 && tookMs >= latencyThresholdMs)
    );
  }

  note({ args, tookMs, wallMs, address, clientName }: Finished): void {
    const { slowLogSlowerThanUs, slowLogLengthMax, latencyThresholdMs } = this.#settings;
    const atS = Math.floor(wallMs / 1000);
    const tookUs = Math.round(tookMs * 1000);
    if (slowLogSlowerThanUs >= 0 && tookUs >= slowLogSlowerThanUs) {
      this.#commands.unshift({ id: this.#nextId++, atS, tookUs, words: shortened(args), address, clientName });
      if (this.#commands.length > slowLogLengthMax) this.#commands.length = slowLogLengthMax;
    }
    if (latencyThresholdMs > 0 && tookMs >= latencyThresholdMs) this.#event({ atS, tookMs: Math.round(tookMs) });
  }

  get length(): number {
    return this.#commands.length;
  }

  /** The newest first; of a negative number all. */
  commands(count: number): readonly SlowCommand[] {
    return count < 0 ? this.#commands : this.#commands.slice(0, count);
  }

  clear(): void {
    this.#commands = [];
  }

  /** The oldest first. */
  events(): readonly LatencyEvent[] {
    return this.#events;
  }

  clearEvents(): void {
    this.#events = [];
  }

  #event(event: LatencyEvent): void {
    const last = this.#events.at(-1);
    if (last?.atS === event.atS) {
      if (event.tookMs > last.tookMs) this.#events[this.#events.length - 1] = event;
      return;
    }
    this.#events.push(event);
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
  }
}

function shortened(args: readonly Buffer[]): readonly Buffer[] {
  const shown = args.length > WORDS_MAX ? args.slice(0, WORDS_MAX - 1) : args;
  const words = shown.map((word) => {
    if (word.length <= WORD_BYTES_MAX) return Buffer.from(word);
    const more = Buffer.from(`... (${word.length - WORD_BYTES_MAX} more bytes)`);
    return Buffer.concat([word.subarray(0, WORD_BYTES_MAX), more]);
  });
  if (shown !== args) words.push(Buffer.from(`... (${args.length - shown.length} more arguments)`));
  return words;
}
