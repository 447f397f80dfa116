/** Connections to a node: the only file that imports the Redis client. Every failure becomes a CliError. */
import { kvdModule } from '@kvd/client';
import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';
import { CliError } from '../errors.ts';

export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly password?: string | undefined;
  /** For connecting, and again for each command. */
  readonly timeoutMs: number;
}

/** Bulk strings are bytes: a value need not be text. */
export type Reply = Buffer | string | number | null | readonly Reply[];

type KvdCommands = ReturnType<typeof makeClient>['kvd'];

export interface Connection {
  /** Throws CliError CLI_COMMAND_FAILED with the node's own words, or CLI_CANNOT_CONNECT. */
  command(...args: readonly string[]): Promise<Reply>;
  /** The typed commands of kvd, with the same errors. */
  kvd<Result>(run: (kvd: KvdCommands) => Promise<Result>): Promise<Result>;
  close(): void;
}

/** A connection under load: nothing is timed or explained for a single command. */
export interface LoadConnection {
  /** Rejects with whatever went wrong; `explain` tells it in words. */
  send(args: readonly string[]): Promise<unknown>;
  /** False once the connection is lost: there is no second try. */
  readonly isOpen: boolean;
  close(): void;
}

export async function connect(target: ConnectionTarget): Promise<Connection> {
  const client = await openClient(target);
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await within(target, work());
    } catch (error) {
      throw explain(error, target);
    }
  };
  return {
    command: (...args) => guarded(() => client.sendCommand<Reply>([...args])),
    kvd: (run) => guarded(() => run(client.kvd)),
    close: () => closeClient(client),
  };
}

export async function connectForLoad(target: ConnectionTarget): Promise<LoadConnection> {
  const client = await openClient(target);
  return {
    send: (args) => client.sendCommand([...args]),
    get isOpen() {
      return client.isReady;
    },
    close: () => closeClient(client),
  };
}

function makeClient({ host, port, password, timeoutMs }: ConnectionTarget) {
  return createClient({
    modules: { kvd: kvdModule },
    RESP: 3,
    socket: { host, port, connectTimeout: timeoutMs, reconnectStrategy: false },
    ...(password !== undefined && { password }),
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}

async function openClient(target: ConnectionTarget): Promise<ReturnType<typeof makeClient>> {
  const client = makeClient(target);
  // Without a listener the emitter would throw; the same error also rejects the promise that is awaited.
  client.on('error', () => {});
  try {
    await within(target, client.connect());
    return client;
  } catch (error) {
    closeClient(client);
    throw explain(error, target);
  }
}

function closeClient(client: ReturnType<typeof makeClient>): void {
  if (client.isOpen) client.destroy();
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

/** In one line: what the node answered, or why it could not be asked, and what to do. */
export function explain(error: unknown, { host, port }: ConnectionTarget): CliError {
  const message = reasonOf(error);
  if (error instanceof ErrorReply) {
    const advice = /^(?:NOAUTH|WRONGPASS)/.test(message) ? ' (--password or KVCTL_PASSWORD gives the password)' : '';
    return new CliError('CLI_COMMAND_FAILED', message + advice, { cause: error });
  }
  if (error instanceof SyntaxError || error instanceof TypeError) {
    const text = `the answer is not from kvd, or from another version of it: ${message}`;
    return new CliError('CLI_BAD_REPLY', text, { cause: error });
  }
  const advice = 'is kvd running there? --host and --port name another node';
  return new CliError('CLI_CANNOT_CONNECT', `${host}:${port}: ${message}; ${advice}`, { cause: error });
}

/** Node reports a refused name with several addresses as an AggregateError without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
