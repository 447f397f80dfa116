// npm start [-- flags]: installs and builds what is missing or stale, then runs `kvd dev` in the foreground.
//
// It stands between npm and kvd, so it must not hide a signal or an end in either direction: signals go on to kvd, kvd's exit
// code becomes its own, and when npm or this script dies, kvd notices by the closed channel and stops its nodes.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, nodeBinary, rootDirectory } from './prepare.mjs';

ensureInstalled();
ensureBuilt();

// No setting is given here: a flag would win over the variables and the config file of whoever starts it.
const program = join(rootDirectory, 'packages/cli/dist/bin/kvd.js');
const cluster = spawn(nodeBinary(), [program, 'dev', '--supervised', ...process.argv.slice(2)], {
  cwd: rootDirectory,
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => cluster.kill(signal));

// npm killed with SIGKILL forwards nothing; its child is then handed to another parent.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid !== parent) cluster.kill('SIGTERM');
}, 1000);

cluster.on('error', (error) => {
  console.error(`[kvd] cannot start: ${error.message}`);
  process.exit(1);
});
cluster.on('exit', (code, signal) => {
  clearInterval(watch);
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
});
