import { createServer } from 'node:net';

const OFFSETS = [0, 10_000, 20_000];
const FIRST_PORT = 21_000;
const PORTS = 14_000;

/** A port from which `count` are free, each with those 10000 and 20000 above. Different processes begin their search apart. */
export async function freeBasePort(count: number): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const base = FIRST_PORT + ((process.pid * 37 + attempt * 16) % PORTS);
    const ports = Array.from({ length: count }, (_, index) => OFFSETS.map((offset) => base + index + offset)).flat();
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
