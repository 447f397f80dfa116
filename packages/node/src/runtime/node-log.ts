/** One line per event to stderr: readable on a terminal, JSON for machines. Events below the level cost a comparison. */
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
  const line = options.form === 'json' ? jsonLine : textLine;
  return (level, event, fields = {}) => {
    if (RANK[level] < least) return;
    const time = new Date(dependencies.wallMs()).toISOString();
    dependencies.write(`${line(time, level, event, fields)}\n`);
  };
}

function jsonLine(time: string, level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): string {
  const printable: Record<string, unknown> = { time, level, event };
  for (const [name, value] of Object.entries(fields)) printable[name] = plain(value);
  return JSON.stringify(printable);
}

function textLine(time: string, level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): string {
  let text = `${time} ${level.toUpperCase().padEnd(5)} ${event}`;
  for (const [name, value] of Object.entries(fields)) {
    const printed = plain(value);
    text += ` ${name}=${typeof printed === 'string' ? quoted(printed) : printed}`;
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
