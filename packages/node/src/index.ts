/** The public surface of @kvd/node. */
export { type NodeConfig, resolveConfig } from './config.ts';
export { NodeError, type NodeErrorCode } from './errors.ts';
export { KvdNode } from './node.ts';
export type { Runtime } from './runtime.ts';
export { type RunningNode, startNode } from './start-node.ts';
