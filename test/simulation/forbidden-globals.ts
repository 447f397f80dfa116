/**
 * While nodes run, the clock, the timers and the chance of the process throw: a node that touches them is not the one that is
 * tested, and no seed would replay it. The harness itself imports what it needs from `node:` modules beforehand.
 */
import crypto from 'node:crypto';

type Replaceable = Record<string, unknown>;

interface Forbidden {
  readonly holder: Replaceable;
  readonly name: string;
  readonly stub: unknown;
  original: unknown;
}

const GLOBALS = ['Date', 'setTimeout', 'setInterval', 'setImmediate'];
const CRYPTO = ['randomBytes', 'randomFillSync', 'randomFill', 'randomInt', 'randomUUID'];
const WEB_CRYPTO = ['getRandomValues', 'randomUUID'];

const forbidden: Forbidden[] = [
  ...GLOBALS.map((name) => forbid(globalThis as unknown as Replaceable, name)),
  forbid(Math as unknown as Replaceable, 'random'),
  forbid(performance as unknown as Replaceable, 'now'),
  ...CRYPTO.map((name) => forbid(crypto as unknown as Replaceable, name)),
  ...WEB_CRYPTO.map((name) => forbid(globalThis.crypto as unknown as Replaceable, name)),
];

let depth = 0;

export function forbidGlobals(): void {
  if (depth++ > 0) return;
  for (const entry of forbidden) {
    entry.original = Object.getOwnPropertyDescriptor(entry.holder, entry.name);
    Object.defineProperty(entry.holder, entry.name, { value: entry.stub, configurable: true, writable: true });
  }
}

export function allowGlobals(): void {
  if (--depth > 0) return;
  for (const entry of forbidden) {
    if (entry.original === undefined) delete entry.holder[entry.name];
    else Object.defineProperty(entry.holder, entry.name, entry.original as PropertyDescriptor);
  }
}

function forbid(holder: Replaceable, name: string): Forbidden {
  const stub = function forbiddenInSimulation(): never {
    throw new Error(`${name} was used in simulation: all that a node knows of the world comes through its runtime`);
  };
  if (name === 'Date') Object.assign(stub, { now: stub });
  return { holder, name, stub, original: undefined };
}
