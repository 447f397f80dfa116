/** The HTTP server of the machine, for the admin port: node:http with small bounds. */
import http from 'node:http';
import type { HttpAnswer } from '../admin/http.ts';

export type Answerer = (method: string, path: string) => Promise<HttpAnswer>;

export interface HttpListener {
  /** Ends at once: what is asked here may be asked again elsewhere. */
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 64;
const HEADER_BYTES_MAX = 8 * 1024;
const REQUEST_TIMEOUT_MS = 5000;

/** Rejects with the system's error, `code` EADDRINUSE among them. */
export function listenHttp(host: string, port: number, answerer: Answerer): Promise<HttpListener> {
  const server = http.createServer(
    { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => void respond(request, response, answerer),
  );
  server.maxConnections = CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // An error of accept concerns that connection only.
      server.on('error', () => {});
      resolve({ close: () => closed(server) });
    });
  });
}

async function respond(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  answerer: Answerer,
): Promise<void> {
  // No body is of interest here: it is read and dropped, so that the connection stays in step.
  request.resume();
  const method = request.method ?? '';
  const [path = ''] = (request.url ?? '').split('?', 1);
  const { status, contentType, body } = await answerer(method, path).catch(failed);
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : body);
}

function failed(error: Error): HttpAnswer {
  return { status: 500, contentType: 'text/plain; charset=utf-8', body: `${error.message}\n` };
}

function closed(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
