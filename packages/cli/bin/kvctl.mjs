#!/usr/bin/env node
// Linked by npm before anything is built, so it is committed; the program itself is src/bin/kvctl.ts.
import { existsSync } from 'node:fs';

const program = new URL('../dist/bin/kvctl.js', import.meta.url);
if (!existsSync(program)) {
  console.error('kvctl is not built yet: run "npm run build" (or "npm start") first');
  process.exit(1);
}
await import(program.href);
