/**
 * One line per event to stderr: text for people, or JSON by pino for machines. Events below the level cost a comparison. What is
 * named like a secret is never written, whoever passes it. The only file that imports pino.
 */
import { pino } from 'pino';
import type { Log, LogLevel } from '../runtime.ts';

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOptions {
  /** The least level that is written. */
  readonly level: LogLevel;
  /** 'json': one object per line; 'text': `time LEVEL event key=value …`. */
  readonly form: 'json' | 'text';
}

export interface LogDependencies {
  wallMs(): number;
  write(line: string): void;
}

/** The log that the real runtime uses. */
export function stderrLog(options: LogOptions, wallMs: () => number): Log {
  return createLog(options, { wallMs, write: (line) => process.stderr.write(line) });
}

/** Never throws: what cannot be printed is replaced. */
export function createLog(options: LogOptions, dependencies: LogDependencies): Log {
  const least = RANK[options.level];
  const write = options.form === 'json' ? jsonWriter(dependencies) : textWriter(dependencies);
  return (level, event, fields = {}) => {
    if (RANK[level] >= least) write(level, event, printable(fields));
  };
}

type Printable = Readonly<Record<string, string | number | boolean | null>>;
type Writer = (level: LogLevel, event: string, fields: Printable) => void;

function textWriter({ wallMs, write }: LogDependencies): Writer {
  return (level, event, fields) => write(`${textLine(new Date(wallMs()).toISOString(), level, event, fields)}\n`);
}

/** Synchronous: the last words of a process that ends are those that matter. */
function jsonWriter({ wallMs, write }: LogDependencies): Writer {
  const options = {
    level: 'debug',
    base: null,
    messageKey: 'event',
    timestamp: () => `,"time":"${new Date(wallMs()).toISOString()}"`,
    formatters: { level: (level: string) => ({ level }) },
  };
  const logger = pino(options, { write });
  return (level, event, fields) => logger[level](fields, event);
}

const SECRET = /pass|secret/i;

function printable(fields: Readonly<Record<string, unknown>>): Printable {
  const made: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(fields)) made[name] = SECRET.test(name) ? '[redacted]' : plain(value);
  return made;
}

function textLine(time: string, level: LogLevel, event: string, fields: Printable): string {
  let text = `${time} ${level.toUpperCase().padEnd(5)} ${event}`;
  for (const [name, value] of Object.entries(fields)) {
    text += ` ${name}=${typeof value === 'string' ? quoted(value) : value}`;
  }
  return text;
}

/** A line is one line: spaces, quotes and control characters of a value go into a JSON string. */
function quoted(value: string): string {
  return /^[\x21\x23-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}

function plain(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return errorText(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return '[unprintable]';
  }
}

function errorText(error: Error): string {
  const code = (error as { code?: unknown }).code;
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return typeof code === 'string' ? `${code}: ${error.message}${cause}` : `${error.message}${cause}`;
}
