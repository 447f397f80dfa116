/** The options of KVD.WITH and KVD.SESSION: what a command, or all of a connection, asks of its replicas. */
import { leafBytes, murmur3 } from '@kvd/replication';
import { readDecimal } from '../resp/decimal.ts';
import { failure, type RespValue } from '../resp/value.ts';
import type { ConsistencyOverrides } from '../services.ts';
import { givenTwice, NOT_AN_INTEGER, SYNTAX_ERROR } from './reply-errors.ts';

/** Options of KVD.WITH that are followed by a number. */
export const NUMBERS = {
  N: 'n',
  R: 'r',
  W: 'w',
  PR: 'pr',
  PW: 'pw',
  DW: 'dw',
  TIMEOUT: 'timeoutMs',
} as const satisfies Record<string, keyof ConsistencyOverrides>;
/** Of the id that a client gives a request by KVD.WITH REQUEST. */
const REQUEST_ID_BYTES_MAX = 64;
const REQUEST_ID_SEED = 0x6b7664;
const BAD_REQUEST_ID = failure(`ERR kvd: REQUEST takes an id of 1 to ${REQUEST_ID_BYTES_MAX} bytes`);
const ONE_MODE = failure('ERR syntax error: STRICT or SLOPPY, once');
const MODES = { STRICT: 'strict', SLOPPY: 'sloppy' } as const;

export interface Prefix {
  readonly overrides: ConsistencyOverrides;
  readonly requestToken: Uint8Array | undefined;
  /** Where the command begins. */
  readonly commandAt: number;
}

/** Reads the options: as far as the first word that is none. */
export function readOptions(args: readonly Buffer[]): Prefix | RespValue {
  const overrides: ConsistencyOverrides = {};
  let requestToken: Uint8Array | undefined;
  let at = 1;
  for (; at < args.length; at++) {
    const word = (args[at] as Buffer).toString('latin1', 0, 8).toUpperCase();
    if (Object.hasOwn(MODES, word)) {
      if (overrides.mode !== undefined) return ONE_MODE;
      overrides.mode = MODES[word as keyof typeof MODES];
    } else if (word === 'REQUEST') {
      const id = args[++at];
      if (id === undefined) return SYNTAX_ERROR;
      if (requestToken !== undefined) return givenTwice(word);
      if (id.length === 0 || id.length > REQUEST_ID_BYTES_MAX) return BAD_REQUEST_ID;
      requestToken = requestTokenOf(id);
    } else if (Object.hasOwn(NUMBERS, word)) {
      const value = args[++at];
      if (value === undefined) return SYNTAX_ERROR;
      const name = NUMBERS[word as keyof typeof NUMBERS];
      if (overrides[name] !== undefined) return givenTwice(word);
      const number = readDecimal(value);
      // Beyond that it could not be told back as it was given.
      if (!Number.isSafeInteger(number)) return NOT_AN_INTEGER;
      overrides[name] = number;
    } else break;
  }
  return { overrides, requestToken, commandAt: at };
}

/** What the record keeps of the id: alike on every node, and for different ids different but for the chance of 128 bits. */
function requestTokenOf(id: Buffer): Uint8Array {
  return Buffer.from(leafBytes(murmur3(id, id.length, REQUEST_ID_SEED)));
}

export function isPrefix(value: Prefix | RespValue): value is Prefix {
  return typeof value === 'object' && value !== null && 'commandAt' in value;
}
