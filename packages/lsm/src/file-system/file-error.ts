/** An error as Node's file functions throw it: a `code`, the call and the path; messages start with the code. */
export interface FileError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path: string;
}

export function fileError(code: string, syscall: string, path: string, detail = ''): FileError {
  const error = new Error(`${code}: ${detail === '' ? '' : `${detail}, `}${syscall} '${path}'`);
  return Object.assign(error, { code, syscall, path });
}

/** The `code` of an error of the file system, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as { code?: string }).code : undefined;
}
