/** One connection to a node: the only file that imports the Redis client. Every failure becomes a CliError. */
import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';
import { CliError } from '../errors.ts';

export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  /** For connecting, and again for each command. */
  readonly timeoutMs: number;
}

/** Bulk strings are bytes: a value need not be text. */
export type Reply = Buffer | string | number | null | readonly Reply[];

export interface Connection {
  /** Throws CliError CLI_COMMAND_FAILED with the node's own words, or CLI_CANNOT_CONNECT. */
  command(...args: readonly string[]): Promise<Reply>;
  close(): void;
}

export async function connect(target: ConnectionTarget): Promise<Connection> {
  const client = createClient({
    RESP: 2,
    socket: { host: target.host, port: target.port, connectTimeout: target.timeoutMs, reconnectStrategy: false },
    disableClientInfo: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  // Without a listener the emitter would throw; the same error also rejects the promise that is awaited.
  client.on('error', () => {});
  const close = () => {
    if (client.isOpen) client.destroy();
  };
  try {
    await within(target, client.connect());
  } catch (error) {
    close();
    throw explain(error, target);
  }
  const command = async (...args: readonly string[]): Promise<Reply> => {
    try {
      return await within(target, client.sendCommand<Reply>([...args]));
    } catch (error) {
      throw explain(error, target);
    }
  };
  return { command, close };
}

async function within<Result>({ timeoutMs }: ConnectionTarget, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${timeoutMs} ms; --timeout sets the limit`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function explain(error: unknown, { host, port }: ConnectionTarget): CliError {
  const message = reasonOf(error);
  if (error instanceof ErrorReply) return new CliError('CLI_COMMAND_FAILED', message, { cause: error });
  const advice = 'is kvd running there? --host and --port name another node';
  return new CliError('CLI_CANNOT_CONNECT', `${host}:${port}: ${message}; ${advice}`, { cause: error });
}

/** Node reports a refused name with several addresses as an AggregateError without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
