/** How far a benchmark is, on stderr and only when somebody watches: the only file that imports cli-progress. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  update(done: number, perSecond: number): void;
  stop(): void;
}

export const NO_PROGRESS: Progress = { update: () => {}, stop: () => {} };

/** Draws until stopped, and then leaves no trace. */
export function startProgress(total: number, unit: string): Progress {
  const format = `{bar} {percentage} % | {value} of {total} ${unit} | {rate}/s`;
  const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true, stream: process.stderr });
  bar.start(total, 0, { rate: 0 });
  return {
    update: (done, perSecond) => bar.update(Math.min(done, total), { rate: Math.round(perSecond) }),
    stop: () => bar.stop(),
  };
}
