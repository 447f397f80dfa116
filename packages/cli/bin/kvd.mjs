#!/usr/bin/env node
// Linked by npm before anything is built, so it is committed; the program itself is src/bin/kvd.ts.
import { existsSync } from 'node:fs';

const program = new URL('../dist/bin/kvd.js', import.meta.url);
if (!existsSync(program)) {
  console.error('kvd is not built yet: run "npm run build" (or "npm start") first');
  process.exit(1);
}
await import(program.href);
