// Stands in for worker.ts: dies at the first job, answers none.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ job }) => {
  if (job.id === 1) process.exit(7);
  throw new Error('a bug in the worker');
});
