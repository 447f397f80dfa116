/** The worker thread: takes jobs one after another, runs them on the real disk, and answers. Keeps no state. */
import { parentPort, threadId } from 'node:worker_threads';
import { runJob } from '../compaction/compactor.ts';
import { NodeFileSystem } from '../file-system/node-file-system.ts';
import { errorToData, type WorkerReply, type WorkerRequest } from './worker-messages.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts is started by worker-runner.ts only');
const fileSystem = new NodeFileSystem();

port.on('message', ({ id, job }: WorkerRequest) => port.postMessage(answer(id, job)));

function answer(id: number, job: WorkerRequest['job']): WorkerReply {
  try {
    return { id, result: runJob(job, { fileSystem, threadId }) };
  } catch (error) {
    return { id, error: errorToData(error) };
  }
}
