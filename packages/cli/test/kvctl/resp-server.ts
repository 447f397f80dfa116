import { type AddressInfo, createServer } from 'node:net';

/** A server that answers commands with raw RESP from a table keyed by the whole command line; records what it was asked. */
export async function startRespServer(answers: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const line of commandLines(chunk.toString('latin1'))) {
        asked.push(line);
        const answer = answers[line] ?? `-ERR unknown command '${line}'\r\n`;
        if (answer !== 'SILENCE') socket.write(answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  /** Resolves once every client has gone: a test that leaves a connection open does not end. */
  const stop = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return { port, asked, stop };
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** The commands in one chunk; the client sends each small command whole. */
function commandLines(chunk: string): string[] {
  const parts = chunk.split('\r\n');
  const lines: string[] = [];
  for (let at = 0; parts[at]?.startsWith('*'); ) {
    const count = Number(parts[at]?.slice(1));
    const words = Array.from({ length: count }, (_, index) => parts[at + 2 + 2 * index]);
    lines.push(words.join(' '));
    at += 1 + 2 * count;
  }
  return lines;
}
