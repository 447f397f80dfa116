/** A node on the real runtime, with its admin port. */
import { type NodeConfig, resolveConfig } from './config.ts';
import { isLoopback } from './loopback.ts';
import { KvdNode } from './node.ts';
import { createRealRuntime } from './runtime/real-runtime.ts';

export interface RunningNode {
  /** What clients connect to, `host:port`. */
  readonly address: string;
  /** Resolves when the engine can take no more writes: end the process, non-zero, after a short drain. */
  readonly failed: Promise<Error>;
  /** Is not ready from now on, ends what is in flight, closes the data. */
  stop(): Promise<void>;
}

/**
 * Starts a node of this process. Rejects with NodeError (NODE_BAD_CONFIG, NODE_PORT_IN_USE, NODE_WRONG_DIRECTORY, …) or
 * LsmError (LSM_LOCKED, LSM_INCOMPATIBLE_FORMAT, …).
 */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const resolved = resolveConfig(config);
  const runtime = createRealRuntime({ logLevel: resolved.logLevel, logForm: resolved.logFormat });
  if (resolved.unsafeNoAuth) warnOfUnsafe(resolved, runtime.log);
  const node = new KvdNode(resolved, runtime);
  const admin = await startAdminOf(node, resolved.adminPort);
  const close = async (): Promise<void> => {
    await admin?.close();
    await runtime.tasks.close();
  };
  try {
    await node.start();
  } catch (error) {
    await close();
    throw error;
  }
  const { id, host, port, peerPort, adminPort } = resolved;
  runtime.log('info', 'node-ready', { id, host, port, peerPort, adminPort });
  return {
    address: `${resolved.host}:${resolved.port}`,
    failed: node.failed,
    stop: async () => {
      runtime.log('info', 'node-stopping', { id });
      await node.stop().finally(close);
      runtime.log('info', 'node-stopped', { id });
    },
  };
}

/** What it needs is loaded when it is wanted: a simulated node never is. */
async function startAdminOf(node: KvdNode, port: number): Promise<{ close(): Promise<void> } | undefined> {
  if (port === 0) return undefined;
  const { startAdmin } = await import('./admin/admin-server.ts');
  return startAdmin(node, port);
}

function warnOfUnsafe(config: Required<NodeConfig>, log: ReturnType<typeof createRealRuntime>['log']): void {
  const { host, requirepass, peerSecret } = config;
  if (isLoopback(host) || (requirepass !== '' && peerSecret !== '')) return;
  log('warn', 'unsafe-no-auth', {
    host,
    clients: requirepass === '' ? 'anybody' : 'by password',
    peers: peerSecret === '' ? 'anybody' : 'by secret',
  });
}
