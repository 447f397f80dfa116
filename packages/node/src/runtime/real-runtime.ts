/** The world as it is: what a node gets outside of tests. */
import { NodeFileSystem, WorkerRunner } from '@kvd/lsm';
import type { LogLevel, Runtime } from '../runtime.ts';
import { NodeClock } from './node-clock.ts';
import { stderrLog } from './node-log.ts';
import { nodeMac } from './node-mac.ts';
import { NodeNetwork } from './node-network.ts';
import { NodeRandom, NodeSecrets } from './node-random.ts';
import { NodeTimers } from './node-timers.ts';

export interface RealRuntimeOptions {
  /** The least level that is logged. */
  readonly logLevel: LogLevel;
  /**
   * Form of the log on stderr: for people, or for machines.
   * @default 'text'
   */
  readonly logForm?: 'text' | 'json';
}

/** Whoever makes it closes its `tasks`, after the last engine that uses them. */
export function createRealRuntime(options: RealRuntimeOptions): Runtime {
  const clock = new NodeClock();
  return {
    clock,
    timers: new NodeTimers(),
    random: new NodeRandom(),
    secrets: new NodeSecrets(),
    mac: nodeMac,
    network: new NodeNetwork(),
    fileSystem: new NodeFileSystem(),
    tasks: new WorkerRunner(),
    log: stderrLog({ level: options.logLevel, form: options.logForm ?? 'text' }, () => clock.wallMs()),
  };
}
