import { Redis } from 'ioredis';

/** Connections to every node from outside the cluster; a node that is down only makes its own calls fail. */
export class Clients {
  readonly all: readonly Redis[];

  constructor(ports: readonly number[]) {
    this.all = ports.map((port) => {
      const client = new Redis({
        port,
        host: '127.0.0.1',
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => 100,
        reconnectOnError: () => false,
      });
      // A node is killed on purpose: what matters is how each command ended.
      client.on('error', () => {});
      return client;
    });
  }

  async ready(): Promise<void> {
    await Promise.all(this.all.map((client) => untilReady(client)));
  }

  close(): void {
    for (const client of this.all) client.disconnect();
  }
}

/** Resolves when the client is connected. */
export function untilReady(client: Redis): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => client.once('ready', () => resolve()));
}

export interface LedgerReport {
  /** By key; every one of them was acknowledged. */
  readonly acknowledged: Map<string, string>;
  readonly retried: number;
}

/**
 * Puts `count` distinct keys with unique values through all clients in turn, `inFlight` at a time, and notes each
 * acknowledgement. A put without an acknowledgement is tried through the next client. `onProgress` gets the number of
 * acknowledgements so far.
 */
export async function writeLedger(
  clients: Clients,
  { count, inFlight, onProgress }: { count: number; inFlight: number; onProgress: (acknowledged: number) => void },
): Promise<LedgerReport> {
  const acknowledged = new Map<string, string>();
  let next = 0;
  let retried = 0;
  const put = async (index: number): Promise<void> => {
    const [key, value] = [`ledger:${index}`, `value-${index}-${index * 7919}`];
    for (let attempt = 0; ; attempt++) {
      const client = clients.all[(index + attempt) % clients.all.length] as Redis;
      const answer = await client.set(key, value).catch((error: Error) => error);
      if (answer === 'OK') break;
      retried++;
      if (attempt > 200) throw new Error(`${key} was never acknowledged: ${String(answer)}`);
      if (attempt % 3 === 2) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    acknowledged.set(key, value);
    onProgress(acknowledged.size);
  };
  const writer = async (): Promise<void> => {
    while (next < count) await put(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  return { acknowledged, retried };
}

/** Keys whose value in the node's own store is not the acknowledged one. */
export async function missingLocally(client: Redis, ledger: ReadonlyMap<string, string>): Promise<string[]> {
  const missing: string[] = [];
  const keys = [...ledger.keys()];
  for (let from = 0; from < keys.length; from += 1000) {
    const page = keys.slice(from, from + 1000);
    const values = await Promise.all(page.map((key) => client.call('KVD.LOCAL', 'GET', key)));
    page.forEach((key, index) => {
      if (values[index] !== ledger.get(key)) missing.push(key);
    });
  }
  return missing;
}
