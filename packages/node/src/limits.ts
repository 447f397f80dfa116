/** Bounds of the RESP server (docs/protocol.md "RESP"). Over them: back-pressure, or a clear error. */

export const CONNECTIONS_MAX = 10_000;
/** Commands of one connection that may be unanswered. */
export const IN_FLIGHT_MAX = 1024;
/** Output that waits above which nothing more is read or started. */
export const OUTPUT_PAUSE_BYTES = 1024 * 1024;
/** Output that waits above which a client must take some of it in each OUTPUT_STALL_MS, or is cut off. */
export const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
export const OUTPUT_STALL_MS = 10_000;
/** Given to the socket of a client at a time. */
export const WRITE_BYTES = 256 * 1024;
/** What unanswered commands of a connection may be expected to answer with, all together. */
export const EXPECTED_BYTES_MAX = 16 * 1024 * 1024;
/** All values of one reply. */
export const REPLY_BYTES_MAX = 64 * 1024 * 1024;
/** Largest bulk string that is read at all; what a node stores is limited by `maxValueBytes`, in the command. */
export const BULK_BYTES_MAX = 64 * 1024 * 1024;
export const ARGUMENTS_MAX = 65_536;
/** An inline command, and any line that declares a length. */
export const LINE_BYTES_MAX = 64 * 1024;
/** All arguments of one command: the largest bulk string, and keys and the like beside it. */
export const REQUEST_BYTES_MAX = BULK_BYTES_MAX + 1024 * 1024;

/** What one request may be. */
export interface RequestLimits {
  readonly argumentsMax: number;
  readonly bulkBytesMax: number;
  readonly lineBytesMax: number;
  readonly requestBytesMax: number;
  /** Stands before `multibulk length` and `bulk length` in the errors, as in Redis. */
  readonly adjective: 'invalid' | 'unauthenticated';
}

export const REQUEST_LIMITS: RequestLimits = Object.freeze({
  argumentsMax: ARGUMENTS_MAX,
  bulkBytesMax: BULK_BYTES_MAX,
  lineBytesMax: LINE_BYTES_MAX,
  requestBytesMax: REQUEST_BYTES_MAX,
  adjective: 'invalid',
});

/** Before the password: enough for AUTH and HELLO, and of no use to anybody who wants to fill the memory. */
export const STRANGER_LIMITS: RequestLimits = Object.freeze({
  argumentsMax: 10,
  bulkBytesMax: 16 * 1024,
  lineBytesMax: 1024,
  requestBytesMax: 64 * 1024,
  adjective: 'unauthenticated',
});
/** Replies to a client without the password that may wait; beyond it nothing more is read. */
export const STRANGER_OUTPUT_BYTES = 64 * 1024;
/** Connections that have not given the password yet, all together. */
export const STRANGERS_MAX = 64;
/** How long a connection may go without giving it. */
export const STRANGER_MS = 10_000;
