import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rootDirectory } from './tidy/sources.ts';

test('the engine example of the README is that of the engine, which a test runs', () => {
  const exampleOf = (path: string) => /```ts\n([\s\S]*?)```/.exec(readFileSync(join(rootDirectory, path), 'utf8'))?.[1];
  expect(exampleOf('README.md')).toContain('Engine.open');
  expect(exampleOf('README.md')).toBe(exampleOf('packages/lsm/README.md'));
});
