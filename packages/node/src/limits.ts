/** Bounds of the RESP server (docs/protocol.md "RESP"). Over them: back-pressure, or a clear error. */

export const CONNECTIONS_MAX = 10_000;
/** Commands of one connection that may be unanswered. */
export const IN_FLIGHT_MAX = 1024;
/** Output that waits above which nothing more is read or started. */
export const OUTPUT_PAUSE_BYTES = 1024 * 1024;
/** Output that waits above which the connection is closed. */
export const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
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
