/** The admin port of a node: metrics and health over HTTP, on loopback. Started by the real entry only. */
import { NodeError } from '../errors.ts';
import type { KvdNode } from '../node.ts';
import { type HttpListener, listenHttp } from '../runtime/node-http.ts';
import { type AdminSources, answer } from './http.ts';
import { Metrics } from './metrics.ts';

/** Other machines get at it by a proxy or an agent on this one, which then also says who may. */
const HOST = '127.0.0.1';

/** Rejects with NODE_PORT_IN_USE or NODE_LISTEN. */
export async function startAdmin(node: KvdNode, port: number): Promise<HttpListener> {
  const sources: AdminSources = {
    phase: () => node.phase,
    failure: () => node.failure,
    metrics: new Metrics(() => node.metricSources()),
  };
  try {
    return await listenHttp(HOST, port, (method, path) => answer(sources, method, path));
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'EADDRINUSE') {
      const text = `admin port ${HOST}:${port} is in use; --admin-port chooses another (0: none), and --port moves it along`;
      throw new NodeError('NODE_PORT_IN_USE', text, { cause });
    }
    throw new NodeError('NODE_LISTEN', `cannot listen on ${HOST}:${port}: ${(cause as Error).message}`, { cause });
  }
}
