/** Codes are API and have a heading each in docs/errors.md; messages are not API. */
export type LsmErrorCode =
  | 'LSM_CORRUPTION' // bytes on disk are not what was written
  | 'LSM_IO' // the file system failed
  | 'LSM_NO_SPACE' // the disk is full
  | 'LSM_LOCKED' // the directory is open elsewhere
  | 'LSM_INCOMPATIBLE_FORMAT' // written by a newer version
  | 'LSM_DURABILITY_LOST' // a sync failed: the engine takes no more writes
  | 'LSM_CLOSED' // used after close
  | 'LSM_BUSY' // too many writes wait for their flush; nothing happened, try again later
  | 'LSM_COMPACTION' // a background job kept failing
  | 'LSM_OPTIONS'; // an option is out of its range

export interface LsmErrorDetails {
  readonly cause?: unknown;
  readonly file?: string;
  readonly offset?: number;
  /** What kind of structure is damaged: 'wal-middle', 'manifest', 'missing', 'block', … */
  readonly kind?: string;
}

export class LsmError extends Error {
  override readonly name = 'LsmError';
  readonly code: LsmErrorCode;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly kind: string | undefined;

  constructor(code: LsmErrorCode, message: string, details: LsmErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.file = details.file;
    this.offset = details.offset;
    this.kind = details.kind;
  }
}
