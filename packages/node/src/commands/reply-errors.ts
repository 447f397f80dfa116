/**
 * What clients are told when something is wrong: the exact words of Redis where Redis has them, since clients match on them;
 * elsewhere what happened, and what to do instead. Prefixes are chosen so that clients do the right thing (docs/protocol.md "Error replies").
 */
import type { ReadOutcome, WriteOutcome } from '@kvd/replication';
import { failure, type RespValue } from '../resp/value.ts';

/** As Redis: so much of the name, and about so much of the arguments, is repeated. */
const REPEATED_BYTES_MAX = 128;

export const SYNTAX_ERROR = failure('ERR syntax error');
export const NOT_AUTHENTICATED = failure('NOAUTH Authentication required.');
export const NOT_AN_INTEGER = failure('ERR value is not an integer or out of range');

export const NOT_A_FLOAT = failure('ERR value is not a valid float');
export const TOO_LONG = failure('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
export const OFFSET_OUT_OF_RANGE = failure('ERR offset is out of range');
export const CROSS_SLOT = failure("CROSSSLOT Keys in request don't hash to the same slot");

/** Redis prints `%.*s`: up to so many bytes, and no further than a NUL. */
function repeated(bytes: Uint8Array, most: number): string {
  const nul = bytes.indexOf(0);
  const end = Math.min(nul === -1 ? bytes.length : nul, most);
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('utf8');
}

export function unknownCommand(args: readonly Buffer[]): RespValue {
  let beginning = '';
  let length = 0;
  for (let i = 1; i < args.length && length < REPEATED_BYTES_MAX; i++) {
    const word = repeated(args[i] as Buffer, REPEATED_BYTES_MAX - length);
    beginning += `'${word}' `;
    length += Buffer.byteLength(word) + 3;
  }
  const name = repeated(args[0] as Buffer, REPEATED_BYTES_MAX);
  return failure(`ERR unknown command '${name}', with args beginning with: ${beginning}`);
}

export function unknownSubcommand(command: string, subcommand: Uint8Array): RespValue {
  const word = repeated(subcommand, REPEATED_BYTES_MAX);
  return failure(`ERR unknown subcommand '${word}'. Try ${command.toUpperCase()} HELP.`);
}

/** `name` is `get`, or `client|setname`. */
export function wrongArity(name: string): RespValue {
  return failure(`ERR wrong number of arguments for '${name}' command`);
}

/** `name` is the command that was given the time. */
export function invalidExpireTime(name: string): RespValue {
  return failure(`ERR invalid expire time in '${name}' command`);
}

/** Of an option whose two values could contradict each other. */
export function givenTwice(option: string): RespValue {
  return failure(`ERR syntax error: ${option} is given twice`);
}

export function unsupportedOption(word: Uint8Array): RespValue {
  const text = repeated(word, word.length).replace(/[\r\n]+$/, '');
  return failure(`ERR Unsupported option ${text}`);
}

/** Refused by design or not yet there. `what` is the command, `why` ends the sentence: reason, and what to use instead. */
export function notAvailable(what: string, why: string, until = ''): RespValue {
  return failure(`ERR kvd: ${what} is not available${until === '' ? '' : ` ${until}`}: ${why}`);
}

export function valueTooLarge(bytes: number, bytesMax: number): RespValue {
  const isClose = bytes - bytesMax < MEGABYTE / 10 || !isWholeTenths(bytesMax);
  const [value, most] = isClose ? [`${bytes} bytes`, `${bytesMax} bytes`] : [megabytes(bytes), megabytes(bytesMax)];
  return failure(`ERR kvd: value ${value} exceeds max-value ${most}`);
}

export function resultTooLarge(bytesMax: number): RespValue {
  return failure(
    `ERR kvd: the value would exceed max-value ${isWholeTenths(bytesMax) ? megabytes(bytesMax) : `${bytesMax} bytes`}`,
  );
}

export function keyTooLarge(bytes: number, bytesMax: number): RespValue {
  return failure(`ERR kvd: key of ${bytes} bytes exceeds ${bytesMax} bytes`);
}

export function replyTooLarge(bytesMax: number): RespValue {
  return failure(`ERR kvd: the reply exceeds ${megabytes(bytesMax)}; ask for fewer keys at once`);
}

const MEGABYTE = 1024 * 1024;

function isWholeTenths(bytes: number): boolean {
  return (bytes * 10) % MEGABYTE === 0;
}

/** In MB of 2^20 bytes with one digit, rounded up so that a value over a limit never reads as one within it. */
function megabytes(bytes: number): string {
  const tenths = Math.ceil((bytes * 10) / MEGABYTE);
  if (bytes < MEGABYTE) return `${bytes} bytes`;
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)} MB`;
}

type WriteFailure = Exclude<WriteOutcome, { readonly status: 'ok' }>;
type ReadFailure = Exclude<ReadOutcome, { readonly status: 'ok' }>;

/** A write that may have happened says so; one that certainly has not, does not. */
export function writeFailed(outcome: WriteFailure): RespValue {
  const doubt = outcome.status === 'indeterminate' ? '; the write may still appear' : '';
  return failed(outcome, doubt);
}

export function readFailed(outcome: ReadFailure): RespValue {
  return failed(outcome, '');
}

function failed({ reason, detail }: WriteFailure | ReadFailure, doubt: string): RespValue {
  switch (reason) {
    case 'quorum':
    case 'refused':
      return failure(`NOREPLICAS kvd: ${detail}${doubt}`);
    case 'unreachable':
      return failure(`CLUSTERDOWN kvd: ${detail}${doubt}`);
    case 'overload':
      return failure(`TRYAGAIN kvd: ${detail}${doubt}`);
    case 'engine':
      return failure(`MISCONF kvd: the storage failed: ${detail}${doubt}`);
    case 'stopping':
      return failure(`LOADING kvd: ${detail}${doubt}`);
    case 'rejected':
      return failure(detail);
    case 'limit':
      return failure(`ERR kvd: ${detail}${doubt}`);
  }
}

/** Something thrown on the way: by the engine, mostly. Its code is in docs/errors.md. */
export function internalError(error: Error & { readonly code: string }): RespValue {
  return failure(`ERR kvd: ${error.code}: ${error.message}`);
}
