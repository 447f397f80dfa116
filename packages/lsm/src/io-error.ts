/** Errors of the file system as errors of the engine. */
import { LsmError } from './errors.ts';
import { errorCode } from './file-system/file-error.ts';

const NO_SPACE_CODES = new Set(['ENOSPC', 'EDQUOT']);

/** LSM_NO_SPACE for a full disk, else LSM_IO; an LsmError stays as it is. */
export function ioError(cause: unknown, action: string, file: string): LsmError {
  if (cause instanceof LsmError) return cause;
  const code = errorCode(cause);
  const message = `cannot ${action} ${file}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new LsmError(code !== undefined && NO_SPACE_CODES.has(code) ? 'LSM_NO_SPACE' : 'LSM_IO', message, {
    cause,
    file,
  });
}
