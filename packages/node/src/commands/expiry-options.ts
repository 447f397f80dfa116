/**
 * When a value is to expire, as SET, GETEX and the EXPIRE family are told: seconds or milliseconds, from now or since 1970.
 * As in Redis every number of 64 bits is understood; but a time beyond `DEADLINE_MS_MAX` (the year 287396) is refused.
 */
import { FOREVER_MS } from '@kvd/replication';
import type { RespValue } from '../resp/value.ts';
import { INT64_MAX, readInt64 } from '../resp/decimal.ts';
import { invalidExpireTime, NOT_AN_INTEGER } from './reply-errors.ts';

const DEADLINE_MS_MAX = BigInt(FOREVER_MS) - 1n;
const SECONDS_MAX = INT64_MAX / 1000n;

export interface TimeUnit {
  readonly inSeconds: boolean;
  /** Counted from now; else since 1970. */
  readonly fromNow: boolean;
}

export const TIME_UNITS = {
  EX: { inSeconds: true, fromNow: true },
  PX: { inSeconds: false, fromNow: true },
  EXAT: { inSeconds: true, fromNow: false },
  PXAT: { inSeconds: false, fromNow: false },
} as const satisfies Record<string, TimeUnit>;

/** Milliseconds since 1970 when the value expires; or what to tell the client of command `name`. */
export type Deadline = { readonly atMs: number } | { readonly refusal: RespValue };

/** Of SET and GETEX: more than nothing. A time since 1970 may be past. */
export function lifetime(word: Buffer, unit: TimeUnit, nowMs: number, name: string): Deadline {
  const given = readInt64(word);
  if (given === undefined) return { refusal: NOT_AN_INTEGER };
  if (given <= 0n) return { refusal: invalidExpireTime(name) };
  return deadline(given, unit, nowMs, name);
}

/** Of EXPIRE and its like: may be past, and before 1970. */
export function expiryTime(word: Buffer, unit: TimeUnit, nowMs: number, name: string): Deadline {
  const given = readInt64(word);
  return given === undefined ? { refusal: NOT_AN_INTEGER } : deadline(given, unit, nowMs, name);
}

function deadline(given: bigint, unit: TimeUnit, nowMs: number, name: string): Deadline {
  if (unit.inSeconds && (given > SECONDS_MAX || given < -SECONDS_MAX)) return { refusal: invalidExpireTime(name) };
  const atMs = (unit.inSeconds ? given * 1000n : given) + (unit.fromNow ? BigInt(nowMs) : 0n);
  if (atMs > DEADLINE_MS_MAX) return { refusal: invalidExpireTime(name) };
  // Before 1970 is as past as 1970.
  return { atMs: atMs < 0n ? 0 : Number(atMs) };
}

/** The words of SET behind its value, or of GETEX behind its key. */
export interface ValueOptions {
  readonly condition: 'absent' | 'present' | undefined;
  readonly get: boolean;
  /** KEEPTTL of SET, PERSIST of GETEX: stands in the place of a time. */
  readonly word: 'KEEPTTL' | 'PERSIST' | undefined;
  readonly time: { readonly unit: TimeUnit; readonly word: Buffer } | undefined;
}

const CONDITIONS = { NX: 'absent', XX: 'present' } as const;

/** As Redis: an option may be repeated, and the last counts; two that exclude each other are a syntax error (undefined). */
export function readValueOptions(args: readonly Buffer[], command: 'SET' | 'GETEX'): ValueOptions | undefined {
  const isSet = command === 'SET';
  const other = isSet ? 'KEEPTTL' : 'PERSIST';
  let condition: ValueOptions['condition'];
  let get = false;
  let word: ValueOptions['word'];
  let unit: TimeUnit | undefined;
  let time: Buffer | undefined;
  for (let i = isSet ? 3 : 2; i < args.length; i++) {
    const option = optionName(args[i] as Buffer);
    if (isSet && isOf(CONDITIONS, option) && (condition ?? CONDITIONS[option]) === CONDITIONS[option]) {
      condition = CONDITIONS[option];
    } else if (isSet && option === 'GET') get = true;
    else if (option === other && unit === undefined) word = other;
    else if (isOf(TIME_UNITS, option) && word === undefined && (unit ?? TIME_UNITS[option]) === TIME_UNITS[option]) {
      unit = TIME_UNITS[option];
      time = args[++i];
      if (time === undefined) return undefined;
    } else return undefined;
  }
  return { condition, get, word, time: unit && time && { unit, word: time } };
}

function isOf<T extends object>(names: T, name: string): name is keyof T & string {
  return Object.hasOwn(names, name);
}

/** Longer than any option: what is longer is none. */
const OPTION_BYTES_MAX = 16;

/** An option in capitals. */
export function optionName(word: Buffer): string {
  return word.length > OPTION_BYTES_MAX ? '' : word.toString('latin1').toUpperCase();
}
