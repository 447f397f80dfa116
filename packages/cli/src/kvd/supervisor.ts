/**
 * Keeps a set of node processes running. Knows no process and no clock itself: both are given, so tests drive it by hand.
 *
 * Invariants: at most one live process for each node; none is started once `stop` was called; everything that happens to a
 * node is reported, so a node is never down in silence.
 */
import { formatDuration } from '../duration.ts';
import { type Death, decide, describeDeath } from './restart-policy.ts';

/** A node process that was started. */
export interface NodeProcess {
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** What a node process tells its supervisor. `exited` comes last and once. */
export interface NodeProcessEvents {
  ready(line: string): void;
  output(line: string): void;
  exited(death: Omit<Death, 'wasReady'>): void;
}

export interface SupervisorOptions {
  readonly ids: readonly string[];
  readonly restartDelayMs: number;
  /** How long a clean stop may take before what is left is killed. */
  readonly stopTimeoutMs: number;
}

export interface SupervisorDependencies {
  spawn(id: string, events: NodeProcessEvents): NodeProcess;
  /** Calls back once after the delay; answers a function that prevents it. */
  after(delayMs: number, callback: () => void): () => void;
  report(line: string): void;
  /** Every node is ready for the first time. */
  allReady(): void;
  /** A node was given up before the cluster was ever ready: there is no cluster to keep. */
  failed(death: Death): void;
}

interface NodeState {
  readonly id: string;
  process: NodeProcess | undefined;
  isReady: boolean;
  failures: number;
  cancelRestart: (() => void) | undefined;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #out: SupervisorDependencies;
  readonly #nodes: readonly NodeState[];
  #wasReady = false;
  #stopped: (() => void) | undefined;
  #cancelKill: (() => void) | undefined;

  constructor(options: SupervisorOptions, dependencies: SupervisorDependencies) {
    this.#options = options;
    this.#out = dependencies;
    this.#nodes = options.ids.map((id) => ({
      id,
      process: undefined,
      isReady: false,
      failures: 0,
      cancelRestart: undefined,
    }));
  }

  start(): void {
    for (const node of this.#nodes) this.#spawn(node);
  }

  /** Asks every node to stop, waits, and kills what is left. Calls `done` once when no process lives. */
  stop(done: () => void): void {
    this.#stopped = done;
    for (const node of this.#nodes) {
      node.cancelRestart?.();
      node.process?.kill('SIGTERM');
    }
    const late = () => {
      this.#out.report(`not stopped after ${formatDuration(this.#options.stopTimeoutMs)}: ${this.#living()}; killing`);
      this.killAll();
    };
    this.#cancelKill = this.#out.after(this.#options.stopTimeoutMs, late);
    this.#finishStop();
  }

  /** No more waiting. `stop`'s `done` is called as the processes end. */
  killAll(): void {
    for (const node of this.#nodes) node.process?.kill('SIGKILL');
  }

  #living(): string {
    const living = this.#nodes.filter((node) => node.process !== undefined);
    return living.map((node) => node.id).join(', ');
  }

  #spawn(node: NodeState): void {
    node.cancelRestart = undefined;
    node.isReady = false;
    node.process = this.#out.spawn(node.id, {
      ready: (line) => this.#ready(node, line),
      output: (line) => this.#out.report(`${node.id} | ${line}`),
      exited: (ending) => this.#exited(node, { ...ending, wasReady: node.isReady }),
    });
  }

  #ready(node: NodeState, line: string): void {
    node.isReady = true;
    node.failures = 0;
    this.#out.report(line);
    if (this.#wasReady || !this.#nodes.every((other) => other.isReady)) return;
    this.#wasReady = true;
    this.#out.allReady();
  }

  #exited(node: NodeState, death: Death): void {
    node.process = undefined;
    node.isReady = false;
    if (this.#stopped !== undefined) return this.#finishStop();
    const decision = decide(death, node.failures, this.#options.restartDelayMs);
    node.failures = decision.failures;
    const what = death.wasReady ? 'died' : 'failed to start';
    if (decision.kind === 'restart') {
      const { afterMs } = decision;
      this.#out.report(`${node.id} ${what} (${describeDeath(death)}); starting it again in ${formatDuration(afterMs)}`);
      node.cancelRestart = this.#out.after(afterMs, () => this.#restart(node));
      return;
    }
    this.#out.report(`${node.id} ${what} (${describeDeath(death)}); ${giveUpReason(decision.failures)}`);
    if (!this.#wasReady) this.#out.failed(death);
  }

  #restart(node: NodeState): void {
    this.#out.report(`${node.id} is started again`);
    this.#spawn(node);
  }

  #finishStop(): void {
    if (this.#nodes.some((node) => node.process !== undefined)) return;
    this.#cancelKill?.();
    const done = this.#stopped;
    this.#stopped = () => {};
    done?.();
  }
}

function giveUpReason(failures: number): string {
  const tries = failures === 1 ? 'trying again cannot help' : `${failures} tries in a row failed`;
  return `not started again: ${tries}`;
}
