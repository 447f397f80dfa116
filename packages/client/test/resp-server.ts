import { type AddressInfo, createServer } from 'node:net';

/** A RESP3 server that answers from a table keyed by the whole command line; records what it was asked. */
export async function startRespServer(answers: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const line of commandLines(chunk.toString('latin1'))) {
        asked.push(line);
        socket.write(
          line.startsWith('HELLO') ? '%1\r\n+proto\r\n:3\r\n' : (answers[line] ?? '-ERR unknown command\r\n'),
        );
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return { port, asked, stop };
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** The reply as RESP3 has it: objects are maps. */
export function resp3(value: unknown): string {
  if (value === null) return '_\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return bulk(value);
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(resp3).join('')}`;
  const entries = Object.entries(value as object);
  return `%${entries.length}\r\n${entries.map(([name, item]) => bulk(name) + resp3(item)).join('')}`;
}

function commandLines(chunk: string): string[] {
  const parts = chunk.split('\r\n');
  const lines: string[] = [];
  for (let at = 0; parts[at]?.startsWith('*'); ) {
    const count = Number(parts[at]?.slice(1));
    lines.push(Array.from({ length: count }, (_, index) => parts[at + 2 + 2 * index]).join(' '));
    at += 1 + 2 * count;
  }
  return lines;
}
