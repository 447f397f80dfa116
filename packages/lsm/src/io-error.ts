/** Errors of the file system as errors of the engine. */
import { LsmError } from './errors.ts';

const NO_SPACE_CODES = new Set(['ENOSPC', 'EDQUOT']);

/**
 * LSM_NO_SPACE for a full disk, LSM_CORRUPTION (kind `missing`) for a file that is not there, else LSM_IO; an LsmError
 * stays as it is.
 */
export function ioError(cause: unknown, action: string, file: string): LsmError {
  if (cause instanceof LsmError) return cause;
  const code = cause instanceof Error ? (cause as { code?: string }).code : undefined;
  const message = `cannot ${action} ${file}: ${cause instanceof Error ? cause.message : String(cause)}`;
  if (code === 'ENOENT') return new LsmError('LSM_CORRUPTION', message, { cause, file, kind: 'missing' });
  return new LsmError(code !== undefined && NO_SPACE_CODES.has(code) ? 'LSM_NO_SPACE' : 'LSM_IO', message, {
    cause,
    file,
  });
}
