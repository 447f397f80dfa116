/**
 * When a `kvd` process is asked to stop.
 *
 * One Ctrl-C may arrive more than once: the terminal signals the whole process group, and npm forwards what it got to its
 * child on top. So signals within REPEAT_WINDOW_MS of the first are the same wish; a later one means "now".
 */
const REPEAT_WINDOW_MS = 1000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopListener {
  /** The first wish to stop. */
  stop(reason: string): void;
  /** A second one, while stopping. */
  stopNow(): void;
}

/** Tells the two kinds of wish apart; pure but for the clock, which tests pass. */
export class StopWishes {
  readonly #listener: StopListener;
  readonly #monotonicMs: () => number;
  #firstMs: number | undefined;

  constructor(listener: StopListener, monotonicMs: () => number) {
    this.#listener = listener;
    this.#monotonicMs = monotonicMs;
  }

  signal(name: string): void {
    const now = this.#monotonicMs();
    if (this.#firstMs === undefined) {
      this.#firstMs = now;
      this.#listener.stop(name);
    } else if (now - this.#firstMs > REPEAT_WINDOW_MS) {
      this.#listener.stopNow();
    }
  }

  /** The supervisor is gone: nobody is left to be impatient, so this never means "now". */
  supervisorGone(): void {
    if (this.#firstMs !== undefined) return;
    this.#firstMs = this.#monotonicMs();
    this.#listener.stop('the supervisor is gone');
  }
}

/** Listens to signals and, when supervised, to the parent: however it dies, the kernel closes its end of the channel. */
export function listenForStop(listener: StopListener, supervised: boolean): void {
  const wishes = new StopWishes(listener, () => performance.now());
  for (const name of SIGNALS) process.on(name, () => wishes.signal(name));
  if (!supervised) return;
  const gone = () => wishes.supervisorGone();
  if (process.channel != null) {
    process.on('disconnect', gone);
    return;
  }
  process.stdin.on('end', gone).on('close', gone).on('error', gone).resume();
}
