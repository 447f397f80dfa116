/**
 * What is asked of a node over HTTP: /metrics, /healthz, /readyz. Pure: a path in, an answer out; the socket is
 * runtime/node-http.ts. Started by the real entry, before the node opens its data and until it has closed it, so that "not
 * ready" can be told all the while.
 */

/** Where a node is in its life. */
export type Phase = 'starting' | 'ready' | 'stopping' | 'stopped';

export interface AdminSources {
  phase(): Phase;
  /** Why the engine takes no more writes; `undefined` while it does. */
  failure(): Error | undefined;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const METHODS: readonly string[] = ['GET', 'HEAD'];

export async function answer(sources: AdminSources, method: string, path: string): Promise<HttpAnswer> {
  if (!METHODS.includes(method)) return text(405, `${method} is not answered here: GET and HEAD are`);
  switch (path) {
    case '/metrics':
      return { status: 200, contentType: sources.metrics.contentType, body: await sources.metrics.text() };
    case '/healthz':
      return health(sources);
    case '/readyz':
      return readiness(sources);
    default:
      return text(404, 'there are /metrics, /healthz and /readyz');
  }
}

/** Of no use to be kept running: only a failed engine, since starting may take long and is not to be cut short. */
function health(sources: AdminSources): HttpAnswer {
  const failure = sources.failure();
  return failure === undefined ? text(200, 'ok') : text(503, `failed: ${failure.message}`);
}

function readiness(sources: AdminSources): HttpAnswer {
  const failure = sources.failure();
  if (failure !== undefined) return text(503, `failed: ${failure.message}`);
  const phase = sources.phase();
  return text(phase === 'ready' ? 200 : 503, phase);
}

function text(status: number, body: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}
