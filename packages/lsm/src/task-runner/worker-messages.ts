/** What main thread and worker say to each other. Errors travel as data, since a class does not survive the clone. */
import type { Job, JobResult } from '../compaction/job.ts';
import { LsmError, type LsmErrorCode } from '../errors.ts';

export interface WorkerRequest {
  readonly id: number;
  readonly job: Job;
}

export type WorkerReply =
  | { readonly id: number; readonly result: JobResult }
  | { readonly id: number; readonly error: ErrorData };

export interface ErrorData {
  /** `undefined` for an error that is not the engine's: a bug. */
  readonly code: LsmErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly kind: string | undefined;
}

export function errorToData(error: unknown): ErrorData {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  if (!(error instanceof LsmError)) {
    return { code: undefined, message, stack, file: undefined, offset: undefined, kind: undefined };
  }
  return { code: error.code, message, stack, file: error.file, offset: error.offset, kind: error.kind };
}

/** An LsmError again. What was none becomes LSM_COMPACTION: the job failed in a way that nobody foresaw. */
export function errorFromData(data: ErrorData): LsmError {
  const error = new LsmError(data.code ?? 'LSM_COMPACTION', data.message, {
    ...(data.file === undefined ? {} : { file: data.file }),
    ...(data.offset === undefined ? {} : { offset: data.offset }),
    ...(data.kind === undefined ? {} : { kind: data.kind }),
  });
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}
