import { fileError, type FileError } from './file-error.ts';

/**
 * The lock file of a directory: one line of JSON, `{"format":1,"ownerToken":…,"pid":…,"hostname":…}`. The token is what
 * fences; pid and host are for people. The file stays after a killed process, so its being there proves nothing.
 */
export const LOCK_FILE_NAME = 'LOCK';

export interface LockHolder {
  readonly ownerToken: string;
  readonly pid: number;
  readonly hostname: string;
}

export function encodeLockHolder(holder: LockHolder): string {
  const { ownerToken, pid, hostname } = holder;
  return `${JSON.stringify({ format: 1, ownerToken, pid, hostname })}\n`;
}

/** `undefined` for anything that is not a whole lock file, as a process that dies while writing it leaves. */
export function decodeLockHolder(text: string): LockHolder | undefined {
  try {
    const { ownerToken, pid, hostname } = JSON.parse(text) as Partial<LockHolder>;
    const whole = typeof ownerToken === 'string' && Number.isInteger(pid) && typeof hostname === 'string';
    return whole ? { ownerToken, pid: pid as number, hostname } : undefined;
  } catch {
    return undefined;
  }
}

/** The refusal of a second opener, and the fate of a holder that was fenced: `EBUSY`. */
export function directoryBusy(directory: string, holder: LockHolder | undefined): FileError {
  const who = holder === undefined ? 'an unknown process' : `process ${holder.pid} on ${holder.hostname}`;
  return fileError('EBUSY', 'lock', directory, `directory is in use by ${who}`);
}
