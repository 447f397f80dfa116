/** A node on the real runtime. */
import { type NodeConfig, resolveConfig } from './config.ts';
import { KvdNode } from './node.ts';
import { createRealRuntime } from './runtime/real-runtime.ts';

export interface RunningNode {
  /** What clients connect to, `host:port`. */
  readonly address: string;
  /** Resolves when the engine can take no more writes: end the process, non-zero, after a short drain. */
  readonly failed: Promise<Error>;
  /** Ends what is in flight and closes the data. */
  stop(): Promise<void>;
}

/**
 * Starts a node of this process. Rejects with NodeError (NODE_BAD_CONFIG, NODE_PORT_IN_USE, NODE_WRONG_DIRECTORY, …) or
 * LsmError (LSM_LOCKED, LSM_INCOMPATIBLE_FORMAT, …).
 */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const resolved = resolveConfig(config);
  const runtime = createRealRuntime({ logLevel: resolved.logLevel });
  const node = new KvdNode(resolved, runtime);
  try {
    await node.start();
  } catch (error) {
    await runtime.tasks.close();
    throw error;
  }
  return {
    address: `${resolved.host}:${resolved.port}`,
    failed: node.failed,
    stop: async () => {
      try {
        await node.stop();
      } finally {
        // Threads that live on would keep the process.
        await runtime.tasks.close();
      }
    },
  };
}
