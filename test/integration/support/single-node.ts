/** One node in this process, the only member, with its data in memory: real sockets, a real clock, no disk. */
import { InlineRunner, MemoryFileSystem } from '@kvd/lsm/testing';
import { KvdNode } from '@kvd/node';
import { createRealRuntime } from '../../../packages/node/src/runtime/real-runtime.ts';
import { freeBasePort } from './free-ports.ts';

export async function startSingleNode(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await freeBasePort(1);
  const real = createRealRuntime({ logLevel: 'error' });
  await real.tasks.close();
  const fileSystem = new MemoryFileSystem({ deferAsync: (completion) => setImmediate(completion) });
  const runtime = { ...real, fileSystem, tasks: new InlineRunner({ fileSystem, timers: real.timers }) };
  const node = new KvdNode(
    {
      id: 'n1',
      port,
      dataDirectory: '/data',
      initialMembers: `n1=127.0.0.1:${port}`,
      consistency: { n: 1, r: 1, w: 1, durability: 'memory' },
    },
    runtime,
  );
  await node.start();
  return { port, stop: () => node.stop() };
}
