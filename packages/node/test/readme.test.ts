/** The example of the README, on free ports and a directory of its own, in this process and on the real runtime. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';

/** A port that is free now, and whose port for peers is free too. */
async function freePort(): Promise<number> {
  for (let port = 21_000 + Math.floor(Math.random() * 9000); ; port++) {
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

test('the example of the README runs as it stands', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const directory = mkdtempSync(join(tmpdir(), 'kvd-readme-'));
  const port = await freePort();
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    const file = join(directory, 'example.ts');
    const index = new URL('../src/index.ts', import.meta.url).href;
    const text = example.replace("'@kvd/node'", JSON.stringify(index)).replaceAll('7379', String(port));
    writeFileSync(file, text.replace("'./data/node-1'", JSON.stringify(join(directory, 'data'))));
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    expect(log.mock.calls).toEqual([[`ready on 127.0.0.1:${port}`]]);
  } finally {
    log.mockRestore();
    rmSync(directory, { recursive: true, force: true });
  }
});
