/** Whether the ports of a cluster are free, asked before anything is started. */
import { createServer } from 'node:net';
import { CliError } from '../errors.ts';

export interface PortUse {
  readonly port: number;
  /** Such as `RESP of node-2`. */
  readonly purpose: string;
}

/** Resolves to the code of the error that listening gives, or undefined when the port is free. */
function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Throws CliError CLI_PORT_IN_USE that names every taken port and the flag that changes it. */
export async function requireFreePorts(host: string, uses: readonly PortUse[], exampleFlag: string): Promise<void> {
  const taken: PortUse[] = [];
  for (const use of uses) {
    const error = await tryPort(host, use.port);
    if (error === 'EADDRINUSE') taken.push(use);
    else if (error !== undefined) throw unusable(host, use.port, error);
  }
  const [first, ...others] = taken;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and so are ${others.map(({ port }) => port).join(', ')}`;
  const remedy = `stop what runs there (another kvd?), or choose others with --port, for example ${exampleFlag}, and another --data (a directory keeps its ports)`;
  const subject = `port ${first.port} on ${host} (${first.purpose}) is taken${more}`;
  throw new CliError('CLI_PORT_IN_USE', `${subject}; ${remedy}`);
}

function unusable(host: string, port: number, error: string): CliError {
  return new CliError('CLI_BAD_CONFIG', `cannot listen on ${host}:${port}: ${error}; --host and --port choose another`);
}
