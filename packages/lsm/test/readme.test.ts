import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';

it('the example of the README runs as it stands', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const directory = mkdtempSync(join(tmpdir(), 'kvd-readme-'));
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  try {
    const file = join(directory, 'example.ts');
    const index = new URL('../src/index.ts', import.meta.url).href;
    writeFileSync(
      file,
      example
        .replace("'@kvd/lsm'", JSON.stringify(index))
        .replace("'./example-data'", JSON.stringify(join(directory, 'data'))),
    );
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    expect(printed).toEqual(['b = 2', '2']);
  } finally {
    log.mockRestore();
    rmSync(directory, { recursive: true, force: true });
  }
});
